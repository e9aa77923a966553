"""The page on which the helpdesk looks up a citizen, and helps."""
