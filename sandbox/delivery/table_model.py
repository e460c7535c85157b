"""Tables of DynamoDB and their items as plain records; each item is a record of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Table:
    """A table whose items are told apart by one attribute, of the type `key_type` (S or N)."""

    key: str
    name: str
    account_id: str
    region: str
    created_at: float
    key_name: str = "id"
    key_type: str = "S"

    @property
    def arn(self) -> str:
        """The table's ARN."""
        return f"arn:aws:dynamodb:{self.region}:{self.account_id}:table/{self.name}"


@dataclass(slots=True)
class TableItem:
    """An item: its attributes typed as on the wire. `key` is the table's, the place in a scan, and the item's own."""

    key: str
    table: str
    place: str
    attributes: dict[str, Any]
