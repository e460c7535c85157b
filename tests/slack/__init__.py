"""Slack, from signed requests in to calls of its Web API out."""
