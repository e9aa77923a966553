"""Departments with systems of their own: applications are delivered there, and their events are applied here.

`base` is the interface to a department; `registry` (built in) and `http_connector` implement it. `deliveries` has the
deliveries, `delivery_worker` and `circuit_breaker` serve one department, `delivery_supervisor` all of one process.
"""
