"""Break stores, gateways and providers under load, and check what callers see and what is recorded: `python -m chaos`."""
