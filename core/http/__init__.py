"""HTTP: the client, the guards of webhooks, signatures and the fast path."""
