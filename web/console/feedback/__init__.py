"""Feedback: list and read."""
