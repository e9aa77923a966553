"""The work behind the menus and the API: one package for each subject, from the catalogue to privacy."""
