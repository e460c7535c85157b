"""Keys of the tags that accounts and products carry: where other tools, and we ourselves, find what was agreed."""

from __future__ import annotations

OWNER = "owner"
"""The address of the person who answers for an account."""
COST_CENTRE = "cost-centre"
REQUEST = "quartermaster-request"
"""The request that made it."""
ACCOUNT_TYPE = "account-type"
EXPIRES = "expires"
"""The day (ISO 8601) on which it is due to be closed."""
