"""What is looked at before an account is called ready: Control Tower's baseline, guardrails, CloudTrail, Config."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from bot.errors import Conflict
from bot.services import Services
from bot.workflow.run import StillRunning
from intents.account_vending.facts import FactReader

if TYPE_CHECKING:
    from intents.account_vending.finishing import Made

_UNFINISHED = "UNDER_CHANGE"


class Baseline:
    """Looks and changes nothing. What may still come raises StillRunning, what has failed raises Conflict."""

    def __init__(self, services: Services, facts: FactReader) -> None:
        self._services, self._facts = services, facts

    def steps(self, made: Made) -> dict[str, Callable[[], Awaitable[Any]]]:
        """Return the checks by name."""
        return {
            "check the baseline": lambda: self._check_baseline(made),
            "check the guardrails": lambda: self._check_guardrails(made),
            "check CloudTrail": self._check_trail,
            "check AWS Config": lambda: self._check_recorder(made),
        }

    async def _check_baseline(self, made: Made) -> None:
        """The account's enabled baseline has succeeded."""
        answer = await self._facts.call(
            "controltower",
            "ListEnabledBaselines",
            filter={"targetIdentifiers": [made.arn]},
            includeChildren=True,
        )
        states = [b["statusSummary"]["status"] for b in answer.get("enabledBaselines", ())]
        if not states or _UNFINISHED in states:
            raise StillRunning("Control Tower has not set the account's baseline up yet.")
        if any(state != "SUCCEEDED" for state in states):
            raise Conflict(
                "Control Tower could not enable its baseline on the account.",
                next_step="Your platform team should reset the enabled baseline in Control Tower, then retry.",
            )

    async def _check_guardrails(self, made: Made) -> None:
        """The controls that are enabled on the account's OU are in force."""
        states: dict[str, str] = {}
        page: dict[str, Any] = {}
        while True:
            page = await self._facts.call(
                "controltower",
                "ListEnabledControls",
                targetIdentifier=made.unit_arn,
                **({"nextToken": page["nextToken"]} if page else {}),
            )
            for control in page.get("enabledControls", ()):
                states[control["controlIdentifier"].rpartition("/")[2]] = control["statusSummary"]["status"]
            if not page.get("nextToken"):
                break
        if _UNFINISHED in states.values():
            raise StillRunning("Control Tower is changing the controls of the account's OU.")
        failed = sorted(name for name, state in states.items() if state != "SUCCEEDED")
        if failed:
            raise Conflict(
                f"Controls of the account's OU are not in force: {', '.join(failed)}.",
                next_step="Your platform team should enable them again in Control Tower, then retry.",
            )

    async def _check_trail(self) -> None:
        """The organization's trail is logging."""
        answer = await self._facts.call("cloudtrail", "DescribeTrails", includeShadowTrails=True)
        trails = [t["TrailARN"] for t in answer.get("trailList", ()) if t.get("IsOrganizationTrail")]
        if not trails:
            raise Conflict(
                "The organization has no CloudTrail trail that covers the account.",
                next_step="Your platform team should repair the landing zone in Control Tower, then retry.",
            )
        for trail in trails:
            status = await self._facts.call("cloudtrail", "GetTrailStatus", Name=trail)
            if status.get("IsLogging"):
                return
        raise Conflict(
            "The organization's CloudTrail trail has stopped logging.",
            next_step="Your platform team should start it again, then retry.",
        )

    async def _check_recorder(self, made: Made) -> None:
        """AWS Config records in the account; asked through the role in the account itself."""
        settings = self._services.settings
        answer = await self._services.cloud.call(
            "config",
            "DescribeConfigurationRecorderStatus",
            region=settings.control_tower_region,
            role=settings.member_role(made.account),
        )
        recorders = answer.get("ConfigurationRecordersStatus", ())
        if not recorders:
            raise StillRunning("AWS Config has no recorder in the account yet.")
        if not any(r.get("recording") for r in recorders):
            raise Conflict(
                "AWS Config's recorder in the account has stopped.",
                next_step="Your platform team should start it again, then retry.",
            )
