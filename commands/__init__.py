"""Groups of verbs of `server.py`, a file each: what may be said to it, and what it then does."""
