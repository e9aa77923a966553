"""The page of members of staff, for administrators."""
