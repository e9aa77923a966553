"""The department API: JSON over HTTP with a bearer key, for the systems of departments."""
