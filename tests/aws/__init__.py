"""The AWS adapter against the sandbox."""
