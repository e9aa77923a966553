"""E-mail to addresses that citizens have verified."""
