"""The audit log: an append-only record of acts, and its export."""
