"""The catalogue: services, offices, fees, forms and channels, as data that an editor writes in TOML."""
