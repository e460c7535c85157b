"""An experiment as a gate between waves: shown with the roll-out's plan, begun by its own request, ended with the gate.

Experiments are another capability's: this one knows what it is called, places a request for it, and reads how that
ends. What refuses an experiment refuses it here, too; only that it needs no further approval, since the plan of the
roll-out showed it, and that the roll-out's own work on its stack is no obstacle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import structlog

from bot.errors import CloudError, Conflict, Invalid, QuartermasterError
from bot.intent import Ask, Change
from bot.ordering import FOLLOWING, place_following
from bot.releases.rollouts import Rollout
from bot.releases.wording import Trial, trial_of
from bot.requests import RequestRecord
from bot.services import Services
from bot.stopping import Stopping

log = structlog.get_logger(__name__)

EXPERIMENT_INTENT = "StartExperiment"
NOTE = "experiment"
"""How the notes begin by which a roll-out knows its experiments' requests: experiment:wave:try:number of the gate."""
TRY = "try"
"""What of a gate tells one try at it from the next, so that each has a run of its own."""
Result = Literal["ok", "waits", "fails"]


class ExperimentGates:
    """Looks at experiments, begins them once a try at a gate, and stops what is not waited for any more."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def canonical(self, value: str, ask: Ask) -> str:
        """Return the value with the template's own name in it. Raises Invalid where there is none, or several."""
        trial = trial_of(value)
        try:
            intent = self._intent()
            name = await intent.validate("Experiment", trial.experiment, replace(ask, slots={"Stack": trial.stack}))
        except (Invalid, Conflict) as error:
            raise Invalid(error.detail, field="Waves", next_step=error.next_step) from error
        return Trial(name, "", trial.minutes).value

    async def look(self, value: str, ask: Ask, within: str) -> dict[str, Any]:
        """Return what a plan shows of an experiment, as JSON types. Raises CloudError and Invalid.

        `within` is the roll-out that is under way, if it is, whose own work stands against nothing.
        """
        trial, intent = trial_of(value), self._intent()
        given = _slots(trial, "", within)
        allowed = self._services.policy.may_ask(ask.person, intent.definition, intent.shape, given, channel=FOLLOWING)
        try:
            plan = await intent.prepare(replace(ask, slots=given))
        except Invalid as error:
            raise Invalid(error.detail, field="Waves", next_step=error.next_step) from error
        told, effects = dict(plan.details), plan.effects
        never = [c.sentence for c in plan.problems if c.name == "Stop conditions"]
        if not allowed.allowed:
            never.append(f"Who asks for the roll-out may not ask for it: {allowed.reason}")
        return {
            "value": value,
            "effects": {
                name: effects[name]
                for name in ("template", "name", "content", "stack", "account", "region", "alarms", "limit_minutes")
            },
            "shown": {n: v for n, v in told.items() if n in _SHOWN or n.startswith("Hits ")},
            "production": plan.tier == "production",
            "never": never,
            "now": [c.sentence for c in plan.problems if c.name != "Stop conditions"],
        }

    async def judge(self, record: RequestRecord, rollout: Rollout, gate: int) -> tuple[Result, str]:
        """Begin the experiment of a gate (its number among those due), once each try, and tell how it stands."""
        value, name = rollout.due_gates[gate][1], name_of(rollout, gate)
        planned = next((e for e in record.plan.effects.get("experiments", ()) if e["value"] == value), None)
        if planned is None:
            return "fails", f"the experiment {value} is not in the plan that was approved"
        trial = replace(trial_of(value), experiment=planned["template"])
        why = f"Before wave {rollout.wave + 2} of request {record.id}, the experiment {planned['name']} has to go well:"
        try:
            given = _slots(trial, planned["content"], record.id, str(record.plan.effects["version"]))
            placed = await place_following(self._services, self._intent(), given, record, name=name, why=why)
        except CloudError as error:
            if error.retryable:
                return "waits", f"the experiment {planned['name']} can't be begun just now ({error.code})"
            return "fails", f"the experiment {planned['name']} was not begun: {error.plain}"
        except QuartermasterError as error:
            return "fails", f"the experiment {planned['name']} was not begun: {error.sentence().rstrip('.')}"
        return _told(await self._services.requests.find(placed), planned["name"])

    async def settle(self, record: RequestRecord, rollout: Rollout) -> bool:
        """Stop the experiments that the roll-out does not wait for any more; tell whether one has not ended yet.

        It is the roll-out that is named as who wants it. Repeated until it returns False: what FIS has not taken is
        asked for again.
        """
        if not rollout.rules.has_experiments:
            return False
        wanted = _wanted(rollout)
        children = [str(v) for n, v in record.notes.items() if n.startswith(f"{NOTE}:") and n not in wanted]
        open_ones = [c for c in [await self._services.requests.find(child) for child in children] if not c.is_final]
        who = replace(record.requester, name=f"the roll-out {record.id}")
        for child in open_ones:
            if child.state == "stopping":
                continue
            try:
                await Stopping(self._services).stop(child.id, who, surface=FOLLOWING)
            except QuartermasterError as error:
                log.warning("releases.experiment_not_stopped", request=child.id, error=str(error))
        return bool(open_ones)

    def _intent(self) -> Change:
        try:
            return self._services.registry.change(EXPERIMENT_INTENT)
        except KeyError:
            raise Conflict("Experiments are not run here.", next_step="Name waves without an experiment.") from None


_SHOWN = ("Experiment", "Where", "Does", "Stops by itself when", "Lasts", "Costs", "Lease")


def next_try(notes: Mapping[str, Any], wave: int) -> int:
    """Return the number of the next try at the gates behind a wave: one more than any that began an experiment."""
    tried = [int(n.split(":")[2]) for n in notes if n.startswith(f"{NOTE}:{wave}:")]
    return max(tried, default=-1) + 1


def name_of(rollout: Rollout, gate: int) -> str:
    """Return the note by which the run of a gate is known in its present try; `gate` is its number among those due."""
    return f"{NOTE}:{rollout.wave}:{rollout.gates.get(TRY, 0)}:{gate}"


def went_well(child: RequestRecord) -> bool:
    """Tell whether an experiment ran to its end without an alarm."""
    return child.state == "succeeded" and bool((child.outcome or {}).get("held"))


def _wanted(rollout: Rollout) -> set[str]:
    """Return the notes of the experiments that are waited for: at an open gate, or one that was halted by hand."""
    is_there = rollout.phase == "gate" or (rollout.phase == "paused" and not rollout.is_shut)
    if not is_there or rollout.gates.get("wave") != rollout.wave:
        return set()
    skipped = {(kind, value) for kind, value in rollout.gates.get("skipped", ())}
    return {name_of(rollout, n) for n, gate in enumerate(rollout.due_gates) if gate not in skipped}


def _slots(trial: Trial, content: str, within: str, version: str = "") -> dict[str, str]:
    return {
        "Experiment": trial.experiment,
        "Expectation": f"what has {version} stays well" if version else "no alarm fires",
        "Via": "roll-out",
        "Within": within,
        **({"RunTime": f"PT{trial.minutes}M"} if trial.minutes else {}),
        **({"Content": content} if content else {}),
    }


def _told(child: RequestRecord, name: str) -> tuple[Result, str]:
    """Return what a request for an experiment means for the gate."""
    if not child.is_final:
        words = "waits for its approval" if child.state == "awaiting_approval" else "runs"
        return "waits", f"the experiment {name} {words} (request {child.id})"
    outcome = child.outcome or {}
    if went_well(child):
        return "ok", ""
    said = str(outcome.get("text") or f"it is {child.state}").rstrip(".")
    return "fails", f"the experiment {name} of request {child.id} did not go well: {said}"
