"""The IAM policies of docs/aws.md: all calls of the code are in them, and they suffice in the sandbox."""
