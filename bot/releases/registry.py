"""The registry of deployments: kept in the database, fed by chat, programs and CSV, or by the sample's own table."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update

from bot.activity import Person, clean_text
from bot.audit import Audit
from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import deployments
from bot.errors import Conflict, Invalid, NotFound
from bot.releases.codedeploy import codedeploy_of
from bot.releases.waves import Deployment, order_of
from bot.releases.windows import window_of
from bot.rows import put

COMPONENT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")
REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
PIPELINE = re.compile(r"[A-Za-z0-9.@_-]{1,100}")
DEFAULT_COMPONENT = "saas"
"""The component of records that name none, such as those of the sample, which has but one."""
MOST = 20_000
COLUMNS = (
    "component", "id", "type", "account", "region", "tier", "tenants", "ring", "tags", "window", "version", "pinned",
    "pipeline", "codedeploy",
)  # fmt: skip
"""What a record may hold; `id`, `type`, `account` and `region` are the sample's own, and are needed."""
TIERS = ("standard", "production")


def deployment_from(record: Mapping[str, Any], where: str = "") -> Deployment:
    """Return the deployment that a record means, in the sample's words and ours. Raises Invalid naming the field."""

    def fail(field: str, what: str) -> Invalid:
        return Invalid(f"{where}{field}: {what}", field=field)

    def text(field: str, pattern: re.Pattern[str], example: str, default: str = "", needed: bool = False) -> str:
        value = clean_text(str(record.get(field) or "")).strip() or default
        if not value and not needed:
            return ""
        if not pattern.fullmatch(value):
            raise fail(field, f"“{value[:40]}” is none; write one like {example}.")
        return value

    if unknown := sorted(set(record) - set(COLUMNS)):
        raise fail(str(unknown[0])[:40], f"is unknown; records hold {', '.join(COLUMNS)}.")
    kind = str(record.get("type") or "").strip().casefold()
    if kind not in ("silo", "pool"):
        raise fail("type", f"“{kind[:20]}” is neither silo nor pool.")
    tier = str(record.get("tier") or "standard").strip().casefold()
    if tier not in TIERS:
        raise fail("tier", f"“{tier[:20]}” is neither standard nor production.")
    tenants = str(record.get("tenants") or "1").strip()
    if not re.fullmatch(r"\d{1,6}", tenants) or int(tenants) < 1:
        raise fail("tenants", f"“{tenants[:20]}” is no number of tenants from 1 to 999999.")
    given = record.get("tags") or ()
    tags = given.split(";") if isinstance(given, str) else list(given)
    if len(tags) > 20 or not all(NAME.fullmatch(str(tag).strip().casefold()) for tag in tags):
        raise fail("tags", "write up to 20 words, separated by “;”.")
    window = clean_text(str(record.get("window") or "")).strip()
    window_of(window)
    if record.get("pipeline") and record.get("codedeploy"):
        raise fail("codedeploy", "is changed by a pipeline or by CodeDeploy, not by both.")
    target = codedeploy_of(clean_text(str(record.get("codedeploy") or "")).strip())
    return Deployment(
        component=text("component", COMPONENT, "checkout", DEFAULT_COMPONENT),
        id=text("id", NAME, "acme", needed=True),
        kind="silo" if kind == "silo" else "pool",
        account=text("account", re.compile(r"\d{12}"), "123456789012", needed=True),
        region=text("region", REGION, "eu-west-1", needed=True),
        tier=tier,
        tenants=int(tenants),
        ring=text("ring", NAME, "early").casefold(),
        tags=tuple(str(tag).strip().casefold() for tag in tags),
        window=window,
        pinned=text("pinned", VERSION, "2.4.1"),
        version=text("version", VERSION, "2.4.1"),
        pipeline_name=text("pipeline", PIPELINE, "silo-acme-pipeline"),
        codedeploy=target.text if target else "",
    )


def records_of_csv(text: str) -> list[dict[str, str]]:
    """Return the records of a CSV whose first line names the columns. Raises Invalid."""
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""), strict=True)
    try:
        rows = [dict(row) for _, row in zip(range(MOST + 1), reader, strict=False)]
    except csv.Error as error:
        raise Invalid(f"csv: line {reader.line_num} can't be read: {error}.", field="csv") from error
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise Invalid(f"csv: line {number} has not as many fields as the first line.", field="csv")
    return rows


def deployments_from(records: Sequence[Mapping[str, Any]]) -> list[Deployment]:
    """Return the deployments of records, all or none. Raises Invalid naming the record and field at fault."""
    if not records:
        raise Invalid("There are no deployments in this.", field="deployments")
    if len(records) > MOST:
        raise Invalid(f"These are more than {MOST} deployments; send them in parts.", field="deployments")
    found: dict[tuple[str, str], Deployment] = {}
    for number, record in enumerate(records, 1):
        one = deployment_from(record, f"deployment {number}: " if len(records) > 1 else "")
        if (one.component, one.key) in found:
            raise Invalid(f"deployment {number}: {one.key} of {one.component} is there twice.", field="deployments")
        found[one.component, one.key] = one
    return list(found.values())


class Deployments:
    """The only place, beside `bot.releases.master`, that writes the table deployments.

    `master` names the table that says which deployments there are and where; empty where the registry itself does.
    """

    def __init__(self, database: Database, clock: Clock, audit: Audit, master: str = "") -> None:
        self._database, self._clock, self._audit, self.master = database, clock, audit, master

    async def all(self, component: str = "", *, with_retired: bool = False) -> list[Deployment]:
        """Return all deployments, or those of a component, in their order; those that were retired only if wanted."""
        query = select(deployments) if with_retired else select(deployments).where(_IS_THERE)
        if component:
            query = query.where(deployments.c.component == component)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return sorted((deployment_of(row) for row in rows), key=lambda d: (d.component, order_of(d)))

    async def components(self) -> list[str]:
        """Return the names of all components."""
        query = select(deployments.c.component).where(_IS_THERE).distinct().order_by(deployments.c.component)
        async with self._database.read() as connection:
            return [str(name) for name in (await connection.execute(query)).scalars()]

    async def count(self) -> int:
        """Return how many deployments there are."""
        async with self._database.read() as connection:
            query = select(func.count()).select_from(deployments).where(_IS_THERE)
            return int((await connection.execute(query)).scalar_one())

    async def retired(self) -> dict[tuple[str, str], datetime]:
        """Return when which deployments were retired, by component and key."""
        query = select(deployments).where(deployments.c.retired_at.is_not(None))
        async with self._database.read() as connection:
            return {(row.component, row.key): row.retired_at for row in (await connection.execute(query)).all()}

    async def find(self, word: str, component: str = "", *, with_retired: bool = False) -> Deployment:
        """Return the one deployment that is called so; raises NotFound, or Invalid where several are."""
        listed = await self.all(component, with_retired=with_retired)
        found = [d for d in listed if d.is_called(word.strip())]
        if not found:
            raise NotFound(f"There is no deployment “{word.strip()[:60]}”.", next_step="Say “list the deployments”.")
        if len(found) > 1:
            names = ", ".join(f"{d.key} of {d.component}" for d in found[:10])
            raise Invalid(f"Several deployments are called “{word.strip()[:60]}”: {names}.", next_step="Say which.")
        return found[0]

    async def keep(self, found: Iterable[Deployment], by: Person, *, surface: str) -> int:
        """Add deployments, or replace what is known of them but for what runs there; returns how many there were.

        Who may do so, and whether their accounts may be deployed into, is asked by the caller. Raises Conflict, with
        nothing kept, where a table is master and has not said so.
        """
        listed = list(found)

        async def work(transaction: Transaction) -> None:
            if self.master:
                await self._require_as_said(transaction, listed)
            for one in listed:
                await self._put(transaction, one)
            await self._audit.record(
                transaction,
                "deployments.kept",
                person_id=by.id,
                payload={"by": by.email, "surface": surface, "deployments": [f"{d.component}/{d.key}" for d in listed]},
            )

        await self._database.write(work)
        return len(listed)

    async def add(self, transaction: Transaction, deployment: Deployment) -> None:
        """Add or replace one, in the transaction of who does so."""
        await self._put(transaction, deployment)

    async def remove(self, transaction: Transaction, component: str, key: str) -> bool:
        """Forget a deployment; tell whether there was one."""
        result = await transaction.execute(delete(deployments).where(*_is(component, key)))
        return bool(result.rowcount)

    async def released(
        self,
        transaction: Transaction,
        component: str,
        key: str,
        version: str,
        commit: str,
        execution: str,
        at: datetime,
    ) -> None:
        """Record what runs in a deployment from now on."""
        values = {"version": version, "commit_id": commit, "execution": execution, "released_at": at, "changed_at": at}
        await transaction.execute(update(deployments).where(*_is(component, key)).values(**values))

    async def executions(self, component: str) -> dict[str, str]:
        """Return the pipeline execution that last released well, by the deployments' keys; empty where none did."""
        query = select(deployments.c.key, deployments.c.execution).where(deployments.c.component == component)
        async with self._database.read() as connection:
            return {row.key: row.execution for row in (await connection.execute(query)).all()}

    async def _require_as_said(self, transaction: Transaction, listed: Sequence[Deployment]) -> None:
        rows = (await transaction.execute(select(deployments).where(_IS_THERE))).all()
        places = {(row.component, row.key): (row.account, row.region) for row in rows}
        wrong = [d.key for d in listed if places.get((d.component, d.key)) != (d.account, d.region)]
        if wrong:
            more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
            raise Conflict(
                f"The table {self.master} is master of which deployments there are, and where: it does not say so of "
                f"{', '.join(wrong[:5])}{more}. Nothing was kept.",
                next_step=f"Change the record in the DynamoDB table {self.master}; the registry follows it.",
            )

    async def _put(self, transaction: Transaction, d: Deployment) -> None:
        row: dict[str, Any] = {
            "component": d.component,
            "key": d.key,
            "name": d.id,
            "kind": d.kind,
            "account": d.account,
            "region": d.region,
            "tier": d.tier,
            "tenants": d.tenants,
            "ring": d.ring,
            "tags": list(d.tags),
            "open_hours": d.window,
            "pinned": d.pinned,
            "pipeline": d.pipeline_name,
            "codedeploy": d.codedeploy,
            "changed_at": self._clock.now(),
            "retired_at": None,
        }
        runs = select(deployments).where(*_is(d.component, d.key))
        known = (await transaction.execute(runs)).first()
        row |= {
            "version": d.version or (known.version if known else ""),
            "commit_id": d.commit or (known.commit_id if known and d.version in ("", known.version) else ""),
            "execution": known.execution if known and d.version in ("", known.version) else "",
            "released_at": known.released_at if known else None,
        }
        await put(transaction, deployments, row, on=["component", "key"])


_IS_THERE = deployments.c.retired_at.is_(None)


def _is(component: str, key: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return deployments.c.component == component, deployments.c.key == key


def deployment_of(row: Any) -> Deployment:
    """Return what a row of the table deployments holds."""
    return Deployment(
        component=row.component,
        id=row.name,
        kind=row.kind,
        account=row.account,
        region=row.region,
        tier=row.tier,
        tenants=row.tenants,
        ring=row.ring,
        tags=tuple(row.tags),
        window=row.open_hours,
        pinned=row.pinned,
        version=row.version,
        commit=row.commit_id,
        pipeline_name=row.pipeline,
        codedeploy=row.codedeploy,
    )
