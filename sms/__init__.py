"""The SMS channel: what goes out by a provider, and what the provider says of it afterwards."""
