"""Which screens of the menus callers see, where they go from there, and where they leave."""
