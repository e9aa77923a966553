"""E-mail, for those who gave an address and proved that it is theirs."""
