"""Providers of USSD, SMS and voice: everything about one of them is in its folder, with a row in `registry`."""
