"""One's own account in the console: language, password, authenticator app."""
