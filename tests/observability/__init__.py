"""What operators see, and what nobody may see there."""
