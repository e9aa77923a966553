"""Complaints: list, read, answer."""
