"""Durable work: segments of steps, and rows that wait for the world or for time."""
