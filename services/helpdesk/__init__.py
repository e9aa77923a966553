"""What the helpdesk sees of a citizen, and what it does for one."""
