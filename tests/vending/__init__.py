"""Planning an account: pure functions, so tried with many facts."""
