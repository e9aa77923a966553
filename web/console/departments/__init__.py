"""The pages of departments: whether each answers, what waits for it, what it rejected, its API keys, and a trial."""
