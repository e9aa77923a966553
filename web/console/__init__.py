"""The console, in which staff work in a browser. One folder a page: its routes, its templates, its words."""
