"""A fake Bot Framework, with which Teams is tried out and tested without a tenant."""
