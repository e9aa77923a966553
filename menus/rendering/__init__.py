"""Render a position of the menu as text that fits a phone's screen."""
