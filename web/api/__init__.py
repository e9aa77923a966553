"""What departments' own systems talk to: JSON over HTTP with a bearer key."""
