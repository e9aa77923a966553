"""Webhooks of departments and wallets."""
