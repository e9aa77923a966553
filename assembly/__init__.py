"""The gateway put together out of its rooms and its settings; nobody but the program imports it."""
