"""Releases: which deployments there are, in which waves a version reaches them, and how far each has come."""
