"""Complaints and feedback: submitted once, followed by number, answered by the department that they concern."""
