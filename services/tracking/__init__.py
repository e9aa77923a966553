"""Look up the case of a twelve-digit number."""
