"""The page with the ways of callers through the menus."""
