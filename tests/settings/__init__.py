"""Settings: what is refused at start, and who counts as the newcomer."""
