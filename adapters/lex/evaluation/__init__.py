"""What `python -m bot lex evaluate` measures: the engine, taught a data set's rows, on other rows of it."""
