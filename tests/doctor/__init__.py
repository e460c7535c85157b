"""Each check of `python -m bot doctor`: one thing is broken, and it says what and how to mend it."""
