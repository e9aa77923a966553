"""What fits on a feature phone's screen, and how a text is laid out on one."""
