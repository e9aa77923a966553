"""Sessions: what is stored of a caller between two requests, and how a request continues a session."""
