"""The simulator: a feature phone in a page and in the terminal, which uses the gateway's own webhooks."""
