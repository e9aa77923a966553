"""The conversation: what is remembered of a caller between two key presses, and where."""
