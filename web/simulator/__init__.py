"""The phone on the desk: a feature phone in the page and in the terminal, dialling the gateway's own routes."""
