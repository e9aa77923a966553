"""The page for KaiOS phones: the menus in a browser of 240 by 320 pixels, with number keys and soft keys."""
