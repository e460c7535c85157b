"""Who may: the decision function and the shipped policies."""
