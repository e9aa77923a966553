"""Request and response models of the department API. Each validates, serialises, and describes itself in openapi.json."""
