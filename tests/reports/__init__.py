"""The monthly report's figures: which month, how counted, how shown."""
