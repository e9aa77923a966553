"""The journeys: what a citizen can do, one file each, as screens and the calls they were given."""
