"""The record: append-only rows, chained by digest, with their payloads apart.

A row is written in the transaction of what it records. One leased sealer then gives rows their position
and hash: hash = SHA-256(previous hash + canonical JSON of the row). A row names people by our opaque id and
its payload by salted digest, so personal data can be erased (payload and people row) and the chain holds.
The head is anchored outside of the database (`bot.audit.anchoring`), so that cutting the end off shows as well.
"""

from __future__ import annotations

from bot.audit.chain import GENESIS, chain, payload_digest
from bot.audit.reading import Wanted
from bot.audit.record import Audit
from bot.audit.verifying import ERASED, Verification, unreadable

__all__ = ["ERASED", "GENESIS", "Audit", "Verification", "Wanted", "chain", "payload_digest", "unreadable"]
