"""Build the pages of the console over the services, one module a page."""
