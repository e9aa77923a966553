"""Assisted mode: operators act for citizens who consented."""
