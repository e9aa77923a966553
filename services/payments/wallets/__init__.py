"""Wallets: the interface and one module a wallet."""
