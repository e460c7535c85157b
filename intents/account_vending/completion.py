"""From an account that Control Tower has made to one that is ready: the segment that runs the finishing steps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.account_factory import DONE_WITH
from bot.errors import Conflict
from bot.services import Services
from bot.workflow.mending import RETRIES
from bot.workflow.model import SegmentResult, Wait
from bot.workflow.run import Attempt, Run, StillRunning
from intents.account_vending import cards
from intents.account_vending.facts import FactReader
from intents.account_vending.finishing import Finishing, Made, Work

FINISH = "finish"
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (20, 40, 60, 120, 300, 600))
"""Until steps that AWS fails for now, or has begun, are run again; after the last they have failed."""


class Completion:
    """Runs finishing steps until each has succeeded, was recorded as done, or has failed for good."""

    def __init__(self, services: Services, facts: FactReader) -> None:
        self._services, self._facts = services, facts
        self._finishing = Finishing(services, facts)

    async def begin(self, run: Run, outputs: Mapping[str, str]) -> SegmentResult:
        """Keep the account that was made, and go on with its finishing steps."""
        account, agreed = outputs["AccountId"], run.request.plan.effects.get("finishing", {})

        async def record() -> dict[str, str]:
            described = await self._facts.call("organizations", "DescribeAccount", AccountId=account)

            async def work(transaction: Any) -> None:
                await self._services.requests.touch(transaction, run.request.id, [("account", account)])
                await self._services.organization.forget(transaction)

            await self._services.database.write(work)
            days = agreed.get("expires_days")
            expires = (self._services.clock.now() + timedelta(days=days)).date().isoformat() if days else ""
            return {"account": account, "arn": described["Account"]["Arn"], "expires": expires}

        made = await run.step("record the account", record)
        await run.note(**{DONE_WITH: True})
        payload = {**made, "portal": outputs.get("SSOUserPortal", ""), "tries": 0, "failed": {}}
        return Wait("timer", f"{account}:{FINISH}", FINISH, payload, due=self._services.clock.now())

    async def finish(self, run: Run) -> SegmentResult:
        """Run what is not done yet; wait and run again what time may cure; end with what was achieved."""
        run.stand()
        record, payload, tries = run.request, run.payload, int(run.payload["tries"])
        effects, is_last = record.plan.effects, tries >= len(PAUSES)
        made = Made(
            request=record.id,
            account=payload["account"],
            name=effects["parameters"]["AccountName"],
            arn=payload["arn"],
            ou=effects["ou_id"],
            expires=payload["expires"],
        )
        attempts: list[Attempt] = []
        for name, work in self._finishing.steps(effects.get("finishing", {}), made, run.note).items():
            if name in payload["failed"]:
                attempts.append(Attempt(name, ok=False, error=payload["failed"][name]))
            else:
                attempts.append(await run.try_step(name, _for_the_last_time(work) if is_last else work))
        failed = {a.name: a.error for a in attempts if not a.ok and not a.retryable}
        if not is_last and any(a.retryable for a in attempts if not a.ok):
            again = {**payload, "tries": tries + 1, "failed": failed}
            retries = int(record.notes.get(RETRIES, 0))
            return Wait(
                "timer",
                f"{made.account}:{FINISH}:{retries}:{tries + 1}",
                FINISH,
                again,
                due=self._services.clock.now() + PAUSES[tries],
                notice=cards.finishing(record, made.account, attempts, retries),
            )
        await self._services.organization.changed()
        if all(a.ok for a in attempts):
            return cards.ready(record, made.account, payload["portal"], attempts)
        anew = {**payload, "tries": 0, "failed": {}}
        return cards.unfinished(record, made.account, attempts, {"segment": FINISH, "payload": anew})


def _for_the_last_time(work: Work) -> Work:
    async def last() -> None:
        try:
            await work()
        except StillRunning as running:
            raise Conflict(
                f"{running} That takes longer than it should.", next_step="Look in AWS, then retry."
            ) from None

    return last
