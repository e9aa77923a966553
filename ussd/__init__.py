"""The USSD channel: a provider's callbacks in, screens out."""
