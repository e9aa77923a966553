"""What the menus reach: the catalogue of services, and the records of what citizens did."""
