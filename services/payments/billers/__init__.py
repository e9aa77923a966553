"""Billers: the interface and one module a biller."""
