"""The USSD channel: the interface to providers, its routes and its metrics."""
