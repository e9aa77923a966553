"""The page with what happens now."""
