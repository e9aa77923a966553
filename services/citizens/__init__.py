"""Accounts, PINs, one-time codes, profiles and contacts of citizens."""
