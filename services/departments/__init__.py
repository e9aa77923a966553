"""Departments with a system of their own: applications are delivered there, and events of theirs are heard.

`port` is what a department is asked; `registry` (built in) and `connector` (HTTP) are the two kinds there are.
`deliveries` are the rows on their way, `courier` and `line` take one department's, `couriers` are all of one process.
"""
