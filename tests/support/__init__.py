"""What the tests stand on: PostgreSQL, Chromium, and a guard against the network outside."""
