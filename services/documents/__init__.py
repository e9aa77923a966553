"""Documents issued by other offices: sign in with a one-time code, list the documents, send one at a time."""
