"""The work on products: one call with its token kept first, its record watched, its end told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.intent import Segment
from bot.provisioning import GONE, MISSING, POLL, SETTLING, Provisioning, is_under_way
from bot.services import Services
from bot.tags import REQUEST
from bot.workflow.model import Failed, SegmentResult, Wait
from bot.workflow.run import Run
from intents.products import cards
from intents.products.provisioned import ProvisionedProducts, without_secrets

RECORD = "product-record"
OVERDUE = timedelta(hours=3)


class Work:
    """What the three kinds of work share."""

    def __init__(self, services: Services, provisioned: ProvisionedProducts) -> None:
        self.services, self.provisioned = services, provisioned
        self.provisioning = Provisioning(services, kind=RECORD, overdue=OVERDUE)

    async def follow(self, run: Run, placed: dict[str, str] | Failed) -> SegmentResult:
        """Wait for the record of a call that was placed."""
        if isinstance(placed, Failed):
            return cards.can_be_retried(placed)
        await run.note(**placed)
        notice = cards.begun(run.request, placed["record"])
        return Wait(RECORD, placed["record"], "settle", placed, state="running", notice=notice)

    async def read(self, run: Run) -> tuple[dict[str, Any], Wait | None]:
        """Return what became of the call, secrets withheld, and the wait to go on with while that is not certain."""
        run.stand()
        record_id, product_id = run.payload["record"], run.payload["product"]
        hidden = frozenset(run.request.plan.effects.get("hidden", ()))

        async def look() -> dict[str, Any]:
            outcome = await self.provisioning.read_outcome(record_id, product_id)
            # Before it is kept anywhere: results of steps are stored.
            return {**outcome, "outputs": without_secrets(outcome["outputs"], hidden)}

        outcome = await run.step("read the outcome", look)
        now = self.services.clock.now()
        is_gone = outcome["product_status"] == GONE and outcome["record_status"] != "SUCCEEDED"
        missing = (run.payload.get(MISSING) or now.isoformat()) if is_gone else None
        may_appear = missing is not None and now - datetime.fromisoformat(missing) < SETTLING
        if not (is_under_way(outcome) or may_appear):
            return outcome, None
        number = int(run.payload.get("looks", 0)) + 1
        payload = {**run.payload, "looks": number, MISSING: missing}
        return outcome, Wait("timer", f"{record_id}:settle{number}", "settle", payload, due=now + POLL)


class OrderWork:
    """start (ProvisionProduct) → settle (tell AVAILABLE, TAINTED and ERROR apart)."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def segments(self) -> Mapping[str, Segment]:
        """Return the segments by name."""
        return {"start": self.start, "settle": self.settle}

    async def start(self, run: Run) -> SegmentResult:
        """Order the product."""
        await run.begin_changing()
        effects, work = run.request.plan.effects, self._work

        async def order(token: str) -> dict[str, Any]:
            tags = {**effects["tags"], REQUEST: run.request.id}
            return await work.provisioning.ask_catalog(
                "ProvisionProduct",
                ProductId=effects["product_id"],
                ProvisioningArtifactId=effects["artifact_id"],
                PathId=effects["path_id"],
                ProvisionedProductName=effects["provisioned_product_name"],
                ProvisioningParameters=[{"Key": k, "Value": v} for k, v in effects["parameters"].items()],
                Tags=[{"Key": k, "Value": v} for k, v in tags.items()],
                ProvisionToken=token,
            )

        async def find(token: str, since: str) -> dict[str, str]:
            found = await work.provisioned.named(effects["provisioned_product_name"])
            if found is None or found["token"] != token:
                return {}
            return {"record": found["last_record"], "product": found["id"]}

        return await work.follow(run, await work.provisioning.place(run, "order the product", order, find))

    async def settle(self, run: Run) -> SegmentResult:
        """Tell how the order ended."""
        outcome, again = await self._work.read(run)
        if again:
            return again
        if outcome["record_status"] == "SUCCEEDED" and outcome["product_status"] == "AVAILABLE":
            return cards.available(run.request, outcome, run.payload["product"])
        return cards.failed_order(run.request, outcome, run.payload["product"])


class UpdateWork:
    """start (UpdateProvisionedProduct) → settle."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def segments(self) -> Mapping[str, Segment]:
        """Return the segments by name."""
        return {"start": self.start, "settle": self.settle}

    async def start(self, run: Run) -> SegmentResult:
        """Update the product; what does not change keeps its previous value."""
        await run.begin_changing()
        effects, work = run.request.plan.effects, self._work
        changes = [{"Key": k, "Value": v} for k, v in effects["parameters"].items()]
        kept = [{"Key": k, "UsePreviousValue": True} for k in effects["previous"]]

        async def order(token: str) -> dict[str, Any]:
            return await work.provisioning.ask_catalog(
                "UpdateProvisionedProduct",
                ProvisionedProductId=effects["provisioned_product_id"],
                ProductId=effects["product_id"],
                ProvisioningArtifactId=effects["artifact_id"],
                **({"PathId": effects["path_id"]} if effects["path_id"] else {}),
                ProvisioningParameters=[*changes, *kept],
                UpdateToken=token,
            )

        async def find(token: str, since: str) -> dict[str, str]:
            product_id = effects["provisioned_product_id"]
            return await work.provisioning.find_record(product_id, "UPDATE_PROVISIONED_PRODUCT", since)

        return await work.follow(run, await work.provisioning.place(run, "update the product", order, find))

    async def settle(self, run: Run) -> SegmentResult:
        """Tell how the update ended."""
        outcome, again = await self._work.read(run)
        if again:
            return again
        if outcome["record_status"] == "SUCCEEDED" and outcome["product_status"] == "AVAILABLE":
            return cards.updated(run.request, outcome, run.payload["product"])
        return cards.can_be_retried(cards.failed_update(run.request, outcome))


class TerminationWork:
    """start (TerminateProvisionedProduct) → settle."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def segments(self) -> Mapping[str, Segment]:
        """Return the segments by name."""
        return {"start": self.start, "settle": self.settle}

    async def start(self, run: Run) -> SegmentResult:
        """Terminate the product, with all that it holds."""
        await run.begin_changing()
        effects, work = run.request.plan.effects, self._work
        product_id = effects["provisioned_product_id"]

        async def order(token: str) -> dict[str, Any]:
            return await work.provisioning.ask_catalog(
                "TerminateProvisionedProduct", ProvisionedProductId=product_id, TerminateToken=token
            )

        async def find(token: str, since: str) -> dict[str, str]:
            return await work.provisioning.find_record(product_id, "TERMINATE_PROVISIONED_PRODUCT", since)

        return await work.follow(run, await work.provisioning.place(run, "terminate the product", order, find))

    async def settle(self, run: Run) -> SegmentResult:
        """Tell how the termination ended; a product that is gone has ended, whatever its record says."""
        outcome, again = await self._work.read(run)
        if again:
            return again
        if outcome["record_status"] == "SUCCEEDED" or outcome["product_status"] == GONE:
            return cards.terminated(run.request)
        return cards.can_be_retried(cards.failed_termination(run.request, outcome))
