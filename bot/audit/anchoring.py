"""Anchoring: the head of the chain, signed, written to S3 under object lock and to a line of the log.

Who owns the database can rewrite the whole record, hashes and head included. What they can't rewrite is an object that
S3 keeps from everybody until a date, in an account of the auditors' at best. So an anchor is never overwritten: each
has a key of its own, and when the record is verified all versions of all of them are read.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select

from bot.audit import Audit
from bot.audit.anchors import Anchor, BadAnchor, Ed25519Signer, Signer, checked, public_keys, signed
from bot.clock import Clock, iso
from bot.cloud import Cloud
from bot.database import Database, Transaction
from bot.database.tables import keepsakes
from bot.rows import put
from bot.settings import Settings
from bot.workflow.periodic import Job

log = structlog.get_logger(__name__)

ANCHORED = "audit-anchored"
"""Keepsake that says how far the chain is anchored: a head that did not move is not anchored again."""
LARGEST = 4_096
"""Bytes of an anchor; what is larger is none."""


@dataclass(frozen=True)
class Anchors:
    """What was found in the bucket: anchors of ours, and what is none of ours and why."""

    found: tuple[Anchor, ...]
    faults: tuple[str, ...]


class Anchoring:
    """Writes anchors and reads them again, as the settings AUDIT_… say."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, cloud: Cloud, audit: Audit) -> None:
        self._settings, self._database, self._clock = settings, database, clock
        self._cloud, self._audit = cloud, audit
        key = settings.audit_signing_key
        self._signer: Signer | None = Ed25519Signer.of(key) if key else None

    @property
    def jobs(self) -> tuple[Job, ...]:
        """What recurs: nothing when no key is set to sign with."""
        if self._signer is None:
            return ()
        every = timedelta(minutes=self._settings.audit_anchor_minutes)
        return (Job("audit-anchor", every, self._work),)

    async def _work(self, last: datetime) -> None:
        await self.anchor()

    async def anchor(self) -> Anchor | None:
        """Anchor the head if it has moved; return what was anchored. Raises CloudError when S3 does not take it."""
        position, digest = await self._audit.head()
        if self._signer is None or position <= await self._anchored():
            return None
        now = self._clock.wall()
        anchor = Anchor(position, digest, iso(now) or "")
        line = await signed(anchor, self._signer)
        if self._settings.audit_anchor_bucket:
            await self._put(anchor, line, now)
        log.info("audit.anchored", anchor=line.decode(), bucket=self._settings.audit_anchor_bucket)
        row = {"name": ANCHORED, "value": json.dumps({"position": position})}

        async def keep(transaction: Transaction) -> None:
            await put(transaction, keepsakes, row, on=["name"])

        await self._database.write(keep)
        return anchor

    async def read(self) -> Anchors:
        """Return all that lies in the bucket, every version; deleting or overwriting one hides nothing.

        Raises CloudError when the bucket can't be read.
        """
        keys = keys_of(self._settings)
        found: list[Anchor] = []
        faults: list[str] = []
        async for name, version in self._versions():
            try:
                found.append(checked(await self._get(name, version), keys))
            except BadAnchor as error:
                faults.append(f"{name} in {self._settings.audit_anchor_bucket} {error}")
        anchored = await self._anchored()
        if anchored and max((a.position for a in found), default=0) < anchored and not faults:
            faults.append(f"the chain was anchored at position {anchored}, and no anchor says so")
        return Anchors(tuple(found), tuple(faults))

    async def _anchored(self) -> int:
        async with self._database.read() as connection:
            query = select(keepsakes.c.value).where(keepsakes.c.name == ANCHORED)
            value = (await connection.execute(query)).scalar_one_or_none()
        return int(json.loads(value)["position"]) if value else 0

    async def _put(self, anchor: Anchor, line: bytes, now: datetime) -> None:
        until = now + timedelta(days=self._settings.audit_anchor_days)
        await self._cloud.call(
            "s3",
            "PutObject",
            region=self._settings.audit_anchor_region,
            Bucket=self._settings.audit_anchor_bucket,
            Key=f"{self._settings.audit_anchor_prefix}{anchor.position:015d}-{now:%Y%m%dT%H%M%SZ}.json",
            Body=line,
            ContentType="application/json",
            ChecksumAlgorithm="SHA256",
            ObjectLockMode=self._settings.audit_anchor_mode,
            ObjectLockRetainUntilDate=until,
        )

    async def _versions(self) -> AsyncIterator[tuple[str, str]]:
        entries = self._cloud.pages(
            "s3",
            "ListObjectVersions",
            "Versions",
            region=self._settings.audit_anchor_region,
            Bucket=self._settings.audit_anchor_bucket,
            Prefix=self._settings.audit_anchor_prefix,
        )
        async for entry in entries:
            yield entry["Key"], entry["VersionId"]

    async def _get(self, name: str, version: str) -> bytes:
        answer: dict[str, Any] = await self._cloud.call(
            "s3",
            "GetObject",
            region=self._settings.audit_anchor_region,
            Bucket=self._settings.audit_anchor_bucket,
            Key=name,
            VersionId=version,
        )
        body: bytes = await asyncio.to_thread(answer["Body"].read, LARGEST)
        return body


def keys_of(settings: Settings) -> dict[str, bytes]:
    """Return the public keys whose anchors count, by their ids."""
    keys = public_keys(settings.audit_public_keys)
    if settings.audit_signing_key:
        signer = Ed25519Signer.of(settings.audit_signing_key)
        keys[signer.key_id] = signer.public_key
    return keys
