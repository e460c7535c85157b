"""Pictures of what people see in Teams."""
