"""One folder a capability; `bot.main` discovers them. No intent imports another."""
