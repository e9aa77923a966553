"""The page with the audit log."""
