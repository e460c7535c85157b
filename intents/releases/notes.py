"""Release notes: what a roll-out brought, how long it took, what failed on the way, who approved, what opened since."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import select

from bot.database.tables import approvals
from bot.errors import CloudError
from bot.releases.rollouts import Rollout, Rollouts, Target
from bot.requests import RequestRecord
from bot.services import Services
from bot.words import lasting
from intents.releases.experiment_gates import NOTE as EXPERIMENT_NOTE
from intents.releases.experiment_gates import went_well
from intents.releases.gate_deeds import NOT_KEPT
from intents.releases.shift_planning import shown_shift
from intents.releases.toolchain import Source, Toolchain

log = structlog.get_logger(__name__)

MOST_COMMITS = 20
"""Commits that are walked back, from what was released towards what ran before."""
SHOWN = 8


class Notes:
    """Reads them from the repository, the record, and the provider of insights; what can't be read is said so."""

    def __init__(self, services: Services, rollouts: Rollouts, toolchain: Toolchain) -> None:
        self._services, self._rollouts, self._toolchain = services, rollouts, toolchain

    async def rows(self, record: RequestRecord, rollout: Rollout) -> list[tuple[str, str]]:
        """Return them as rows of a card."""
        targets = await self._rollouts.targets(record.id)
        rows: list[tuple[str, str]] = []
        if rollout.commit:
            rows += [("Commit", rollout.commit), ("Commits", await self._commits(record, rollout, targets))]
        shifted = [f"{t.key}: {shown_shift(t.shift)}" for t in targets if t.shift and t.state == "succeeded"]
        rows += [("Shifted by CodeDeploy", _named(shifted))] if shifted else []
        rows.append(("Took", self._lasted(rollout, targets)))
        rows += [(f"Failed: {t.key}", t.why or "no reason known") for t in targets if t.state == "failed"][:20]
        again = [t for t in targets if t.attempt > 1]
        rows += [("Tried again", _named([f"{t.key} ({t.attempt} tries)" for t in again]))] if again else []
        not_kept = [sentence for _, sentence in record.notes.get(NOT_KEPT, ())]
        rows += [("Gates not kept", _named(not_kept))] if not_kept else []
        tried = await self._experiments(record)
        rows += [("Experiments", _named(tried))] if tried else []
        rows.append(("Approved by", await self._approvers(record) or "nobody: no approval was asked for"))
        rows.append(("Insights since it began", await self._insights(rollout, targets)))
        return rows

    async def _experiments(self, record: RequestRecord) -> list[str]:
        """Return the experiments that were gates of it, in their order, and how each ended."""
        begun = [str(v) for name, v in sorted(record.notes.items()) if name.startswith(f"{EXPERIMENT_NOTE}:")]
        found = [await self._services.requests.find(one) for one in begun]
        return [f"{e.plan.effects['name']} ({e.id}) {'went' if went_well(e) else 'did not go'} well" for e in found]

    async def _commits(self, record: RequestRecord, rollout: Rollout, targets: Sequence[Target]) -> str:
        """Return the commits that no deployment had before, newest first."""
        source = record.plan.effects["source"]
        before = {t.before.get("commit", "") for t in targets if not t.shift} - {""}
        if not source or source["provider"] != "CodeCommit":
            return "the repository can't be asked"
        if not before:
            return "what ran before is not known here"
        commit = rollout.commit
        found: list[str] = []
        try:
            while commit and commit not in before and len(found) < MOST_COMMITS:
                one = await self._toolchain.commit(Source(**source), commit)
                by = f" ({one.author})" if one.author else ""
                found.append(f"{commit[:8]} {one.message.partition(chr(10))[0][:80]}{by}")
                commit = await self._toolchain.parent(Source(**source), commit)
        except CloudError as error:
            log.warning("releases.commits_unread", error=error.detail)
            return f"can't be read just now ({error.code})"
        if not found:
            return "none: it ran already" if commit in before else "none"
        return "; ".join(found) + ("" if commit in before or not commit else "; and older ones")

    def _lasted(self, rollout: Rollout, targets: Sequence[Target]) -> str:
        whole = lasting(self._services.clock.now() - rollout.started_at)
        spans = sorted(
            (t.ended_at - t.started_at, t.key)
            for t in targets
            if t.state == "succeeded" and t.ended_at and t.started_at
        )
        if not spans:
            return whole
        return f"{whole}; of a deployment {lasting(spans[len(spans) // 2][0])}, {spans[-1][1]} {lasting(spans[-1][0])}"

    async def _approvers(self, record: RequestRecord) -> str:
        query = select(approvals.c.approver).where(
            approvals.c.request_id == record.id,
            approvals.c.version == record.version,
            approvals.c.decision == "approve",
        )
        async with self._services.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return _named(list(dict.fromkeys(row.approver for row in rows)))

    async def _insights(self, rollout: Rollout, targets: Sequence[Target]) -> str:
        """Return the insights that opened since in the accounts and Regions of what was changed."""
        provider = self._services.insights
        if provider is None:
            return "nothing watches the accounts"
        places = {(t.account, t.region) for t in targets if t.execution}
        regions = sorted({region for _, region in places})
        if not regions:
            return "none"
        try:
            found = await provider.opened(regions, rollout.started_at, self._services.clock.now())
        except CloudError as error:
            return f"can't be read just now ({error.code})"
        named = [
            f"{i.severity} {i.name} ({i.account}, {i.region})"
            for i in found.insights
            if (i.account, i.region) in places
        ]
        unread = "; not all could be read" if found.missing or found.pending else ""
        return (_named(named) or "none") + unread


def _named(names: Sequence[str]) -> str:
    return "; ".join(names[:SHOWN]) + (f"; and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
