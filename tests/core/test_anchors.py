"""Anchors: what was signed and put under S3's lock outlasts whoever owns the database."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from sqlalchemy import delete, select, update
from structlog.testing import capture_logs

from adapters.aws import BotoCloud
from bot.audit import GENESIS, Audit, chain
from bot.audit.anchoring import Anchoring
from bot.audit.anchors import Anchor, BadAnchor, Ed25519Signer, checked, public_keys, signed
from bot.database import Database, Transaction
from bot.database.tables import audit as rows
from bot.database.tables import audit_head, audit_payloads
from bot.errors import SettingsError
from bot.settings import Settings, check, load_settings
from sandbox.server import Sandbox
from tests.core.clock import HandClock
from tests.core.test_audit import record
from tests.core.test_audit_commands import command

KEY = base64.b64encode(b"k" * 32).decode()
OTHER_KEY = base64.b64encode(b"o" * 32).decode()
BUCKET = "corp-anchors"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(speed=0).start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def s3(sandbox: Sandbox) -> Any:
    """Whoever else has rights on the bucket."""
    once = Config(retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
    client = boto3.client("s3", endpoint_url=sandbox.url, region_name="us-east-1", config=once, **keys)
    with suppress(client.exceptions.BucketAlreadyOwnedByYou):
        client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    return client


@pytest.fixture
def settings(sandbox: Sandbox, s3: Any, tmp_path: Path) -> Settings:
    """Settings with anchors, each test's under a prefix of its own."""
    return load_settings(
        aws_endpoint_url=sandbox.url,
        audit_signing_key=KEY,
        audit_anchor_bucket=BUCKET,
        audit_anchor_prefix=f"{tmp_path.name}/",
        audit_anchor_days=30,
    )


@pytest.fixture
async def anchoring(settings: Settings, database: Database, clock: HandClock, audit: Audit) -> AsyncIterator[Anchoring]:
    cloud = BotoCloud(settings)
    yield Anchoring(settings, database, clock, cloud, audit)
    cloud.close()


async def rewrite(transaction: Transaction) -> None:
    """Change a row, and chain all rows from there anew with the head: the chain in itself is intact again."""
    await transaction.execute(update(rows).where(rows.c.position == 3).values(person_id="p_somebody_else"))
    previous, last = GENESIS, 0
    for row in (await transaction.execute(select(rows).order_by(rows.c.position))).all():
        previous, last = chain(previous, row, row.position), row.position
        await transaction.execute(update(rows).where(rows.c.seq == row.seq).values(hash=previous))
    await transaction.execute(update(audit_head).values(position=last, hash=previous))


async def cut_off(transaction: Transaction) -> None:
    """Take the last two rows away and put the head back."""
    for row in (await transaction.execute(select(rows).where(rows.c.position > 4))).all():
        await transaction.execute(delete(audit_payloads).where(audit_payloads.c.seq == row.seq))
        await transaction.execute(delete(rows).where(rows.c.seq == row.seq))
    fourth = (await transaction.execute(select(rows).where(rows.c.position == 4))).one()
    await transaction.execute(update(audit_head).values(position=4, hash=fourth.hash))


async def test_an_anchor_lies_under_lock_and_in_the_log_and_is_made_once(
    anchoring: Anchoring, database: Database, audit: Audit, clock: HandClock, s3: Any, settings: Settings
) -> None:
    assert await anchoring.anchor() is None  # nothing to vouch for
    await record(database, audit, 6)
    with capture_logs() as logs:
        assert await anchoring.anchor() is not None
        assert await anchoring.anchor() is None
    (told,) = [line for line in logs if line["event"] == "audit.anchored"]
    (listed,) = s3.list_objects_v2(Bucket=BUCKET, Prefix=settings.audit_anchor_prefix)["Contents"]
    kept = s3.get_object(Bucket=BUCKET, Key=listed["Key"])
    assert kept["ObjectLockMode"] == "COMPLIANCE"
    assert kept["ObjectLockRetainUntilDate"] == clock.wall() + timedelta(days=30)
    assert kept["Body"].read().decode() == told["anchor"]
    anchors = await anchoring.read()
    assert [a.position for a in anchors.found] == [6]
    found = await audit.verify(anchors.found)
    assert (found.fault, found.sealed, found.anchored) == ("", 6, 6)


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (rewrite, "rows between positions 1 and 6 were rewritten after they were anchored"),
        (cut_off, "the end was cut off: the chain ends at position 4, and at .* it was anchored at position 6"),
    ],
)
async def test_what_the_chain_alone_does_not_show_the_anchors_do(
    anchoring: Anchoring, database: Database, audit: Audit, tamper: Any, fault: str
) -> None:
    await record(database, audit, 6)
    await anchoring.anchor()
    await database.write(tamper)
    assert (await audit.verify()).fault == ""
    found = await audit.verify((await anchoring.read()).found)
    with pytest.raises(AssertionError, match=fault):
        raise AssertionError(found.fault)


async def test_neither_deleting_nor_overwriting_an_anchor_hides_it(
    anchoring: Anchoring, database: Database, audit: Audit, s3: Any, settings: Settings
) -> None:
    await record(database, audit, 6)
    await anchoring.anchor()
    (listed,) = s3.list_objects_v2(Bucket=BUCKET, Prefix=settings.audit_anchor_prefix)["Contents"]
    s3.delete_object(Bucket=BUCKET, Key=listed["Key"])
    await database.write(cut_off)
    assert "was cut off" in (await audit.verify((await anchoring.read()).found)).fault
    forged = await signed(Anchor(4, "f" * 64, "2026-03-01T00:00:00.000Z"), Ed25519Signer.of(OTHER_KEY))
    s3.put_object(Bucket=BUCKET, Key=listed["Key"], Body=forged)
    s3.put_object(Bucket=BUCKET, Key=f"{settings.audit_anchor_prefix}x.json", Body=b"x" * 100_000)
    anchors = await anchoring.read()
    assert [a.position for a in anchors.found] == [6]
    assert len(anchors.faults) == 2
    assert "none of AUDIT_PUBLIC_KEYS" in " ".join(anchors.faults)


async def test_says_when_anchors_that_were_made_are_gone(
    anchoring: Anchoring, database: Database, audit: Audit, clock: HandClock, settings: Settings
) -> None:
    await record(database, audit, 2)
    await anchoring.anchor()
    cloud = BotoCloud(settings)
    elsewhere = settings.model_copy(update={"audit_anchor_prefix": "empty/"})
    found = await Anchoring(elsewhere, database, clock, cloud, audit).read()
    cloud.close()
    assert found.faults == ("the chain was anchored at position 2, and no anchor says so",)


SIGNED: dict[str, Any] = {"at": "2026-03-01T08:00:00.000Z", "hash": "a" * 64, "position": 7, "version": 1}


@pytest.mark.parametrize(
    "changes",
    [{"position": 8}, {"hash": "b" * 64}, {"at": "2027-03-01T08:00:00.000Z"}, {"version": 2}, {"more": "x"}],
    ids=["position", "hash", "at", "version", "more"],
)
async def test_no_word_of_an_anchor_can_be_changed(changes: dict[str, Any]) -> None:
    signer = Ed25519Signer.of(KEY)
    line = await signed(Anchor(7, "a" * 64, SIGNED["at"]), signer)
    keys = public_keys([base64.b64encode(signer.public_key).decode()])
    assert checked(line, keys) == Anchor(7, "a" * 64, SIGNED["at"])
    whole = json.loads(line)
    assert whole["anchor"] == SIGNED
    with pytest.raises(BadAnchor):
        checked(json.dumps({**whole, "anchor": {**SIGNED, **changes}}), keys)
    other = Ed25519Signer.of(OTHER_KEY)
    with pytest.raises(BadAnchor, match="not signed by the key"):
        checked(json.dumps({**whole, "key": other.key_id}), {other.key_id: other.public_key})


@pytest.mark.parametrize(
    "text", ["", "x", "[]", "{}", "null", '{"anchor": {}}', '{"anchor": 7, "signature": "", "key": ""}']
)
def test_what_is_no_anchor_is_called_so(text: str) -> None:
    with pytest.raises(BadAnchor):
        checked(text, {})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"audit_signing_key": "short"}, "AUDIT_SIGNING_KEY must be 32 bytes"),
        ({"audit_public_keys": ("x",)}, "AUDIT_PUBLIC_KEYS must be 32 bytes"),
        ({"audit_anchor_bucket": BUCKET}, "AUDIT_SIGNING_KEY is not"),
        ({"audit_anchor_bucket": "No Bucket", "audit_signing_key": KEY}, "no name of a bucket"),
    ],
    ids=["signing key", "public key", "no key", "bucket"],
)
def test_refuses_settings_that_would_prove_nothing(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        check(Settings(aws_endpoint_url="http://127.0.0.1:1", **given))


async def test_the_command_takes_anchors_from_a_log(tables_url: str, clock: HandClock, tmp_path: Path) -> None:
    database = Database(tables_url)
    await database.start()
    audit = Audit(database, clock)
    await record(database, audit, 6)
    position, digest = await audit.head()
    line = await signed(Anchor(position, digest, "2026-03-01T08:00:00.000Z"), Ed25519Signer.of(KEY))
    log = tmp_path / "bot.log"
    told = {"event": "audit.anchored", "anchor": line.decode()}
    log.write_text(f"{json.dumps({'event': 'started'})}\nnot JSON\n{json.dumps(told)}\n")
    arguments = ("audit", "verify", "--log", str(log))
    environment = {"AUDIT_SIGNING_KEY": KEY}
    intact = await asyncio.to_thread(command, tables_url, *arguments, more=environment)
    assert intact.stdout == "The audit is intact: 6 rows, anchored up to position 6 (1 anchor).\n", intact.stderr
    await database.write(cut_off)
    await database.close()
    broken = await asyncio.to_thread(command, tables_url, *arguments, more=environment)
    assert broken.returncode == 1
    assert "the end was cut off" in broken.stdout
    alone = await asyncio.to_thread(command, tables_url, "audit", "verify", "--alone")
    assert alone.returncode == 0
    unsigned = await asyncio.to_thread(command, tables_url, *arguments)
    assert "none of AUDIT_PUBLIC_KEYS" in unsigned.stdout
