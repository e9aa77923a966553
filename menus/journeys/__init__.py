"""The journeys: one module for each thing that a citizen can do, as screens and the steps between them."""
