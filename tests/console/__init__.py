"""The console, on the real core with a scripted conversation, and in a real browser."""
