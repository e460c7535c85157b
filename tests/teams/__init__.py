"""Microsoft Teams, from signed activities in to calls of its connector out."""
