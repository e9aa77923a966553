"""The composition root: it builds everything from the settings, and only `cli` and `server` import it."""
