"""Settings: their types, the loader that reports every problem at once, and the embedded defaults."""
