"""A stand-in for the Bot Framework."""
