"""Applications: submitted once, followed by tracking number, processed by the department they belong to."""
