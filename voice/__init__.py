"""Missed calls: a call that is rejected costs its caller nothing, and is answered by SMS."""
