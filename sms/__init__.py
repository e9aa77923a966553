"""The SMS channel: the interface to providers, inbound SMS, keywords and conversations."""
