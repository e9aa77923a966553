"""The menus: screens and journeys in Python, texts in TOML, work in the services that a journey gets."""
