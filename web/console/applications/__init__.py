"""Applications: list, read, move."""
