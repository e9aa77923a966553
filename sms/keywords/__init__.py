"""Parse an SMS as a keyword and its argument, in every language of the gateway."""
