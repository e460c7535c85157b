"""Pictures of what people see in Slack."""
