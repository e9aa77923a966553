"""The page with the settings in force."""
