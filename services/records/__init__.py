"""The durable records: tables, the database they stand in, and how an older one is brought up to date."""
