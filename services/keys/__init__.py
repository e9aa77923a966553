"""The keys that encrypt the database: which ones it needs, and its rotation to a new one."""
