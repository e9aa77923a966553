"""A citizen's own data: its export, its deletion, and the retention of all data.

`sections` is the interface of a section; `identity_sections`, `case_sections` and `message_sections` implement it, one
class for one or two tables. `export` collects and deletes them. A new table with personal data needs a section.
"""
