"""Forms of pages: fields with what was typed and what is wrong, and the values that people type."""
