"""Checks every screen before it is served."""
