"""The page with the messages, and what only a person can settle."""
