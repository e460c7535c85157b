"""What is said while a version is rolled out: pause, continue, stop, retry, skip, roll back, why, how far."""

from __future__ import annotations

import re

from bot.activity import Person
from bot.card import Card, Checks, Facts, Item, Table, Text
from bot.errors import Conflict, Invalid, NotFound
from bot.intent import Answer, Ask, Definition, Query
from bot.releases.rollouts import ACTIVE, Rollouts, Target
from bot.requests import RequestRecord
from bot.services import Services
from bot.stopping import Stopping
from intents.releases import command_definitions as definitions
from intents.releases.cards import progress_of
from intents.releases.explaining import Explaining
from intents.releases.steering import Steering

SHOWN = 20
_GATE = re.compile(r"\bgates?\b", re.IGNORECASE)
_WAVE = re.compile(r"\bwave (\d{1,4})\b|\b(?:next|following|coming) wave\b", re.IGNORECASE)


class _Command(Query):
    """What acts on, or tells of, one roll-out."""

    said: Definition

    def __init__(self, services: Services, steering: Steering) -> None:
        super().__init__(services)
        self._steering = steering

    def define(self) -> Definition:
        """Return the definition."""
        return self.said

    async def meant(self, ask: Ask) -> RequestRecord:
        """Return the roll-out that is meant."""
        return await self._steering.record(
            ask.slots.get("RequestId", ""), ask.conversation, ask.owner or None, ask.person
        )

    def told(self, title: str, record: RequestRecord, text: str) -> Answer:
        """Return an answer with its card."""
        return Answer(text, Card(f"{title}: {record.plan.summary}", (Text(text),), request=record.id))


class PauseRollout(_Command):
    """Starts nothing more; for everybody who may see it."""

    said = definitions.PAUSING

    async def answer(self, ask: Ask) -> Answer:
        """Pause it."""
        record = await self.meant(ask)
        return self.told("Paused", record, await self._steering.pause(record, ask.person, ask.channel))


class ResumeRollout(_Command):
    """Lets it go on."""

    said = definitions.RESUMING

    async def answer(self, ask: Ask) -> Answer:
        """Resume it, or pass its gate."""
        record = await self.meant(ask)
        return self.told("Goes on", record, await self._steering.resume(record, ask.person, ask.channel))


class StopRollout(_Command):
    """Ends it for good; for everybody who may see it."""

    said = definitions.STOPPING

    async def answer(self, ask: Ask) -> Answer:
        """Stop it."""
        record = await self.meant(ask)
        stopping = Stopping(self.services)
        record, text = await stopping.stop(record.id, ask.person, surface=ask.channel, owner=ask.owner or None)
        return self.told("Stop", record, text)


class RetryDeployments(_Command):
    """Tries what failed again."""

    said = definitions.RETRYING

    async def answer(self, ask: Ask) -> Answer:
        """Try one again, or all, or the gate."""
        record = await self.meant(ask)
        if _GATE.search(ask.text):
            text = await self._steering.gates.retry(record, ask.person, ask.channel)
        else:
            text = await self._steering.retry(record, _deployment_in(ask), ask.person, ask.channel)
        return self.told("Tried again", record, text)


class SkipDeployments(_Command):
    """Leaves deployments out, a gate, or a whole wave."""

    said = definitions.SKIPPING

    async def answer(self, ask: Ask) -> Answer:
        """Leave one out, or all that failed; the gate, or a wave, where the words name it."""
        record, steering = await self.meant(ask), self._steering
        if wave := _WAVE.search(ask.text):
            number = int(wave[1]) if wave[1] else None
            text = await steering.gates.skip_wave(record, number, ask.person, ask.channel)
        elif _GATE.search(ask.text):
            text = await steering.gates.skip(record, ask.person, ask.channel)
        else:
            text = await steering.skip(record, _deployment_in(ask), ask.person, ask.channel)
        return self.told("Left out", record, text)


class RollBack(_Command):
    """Takes back what was changed."""

    said = definitions.ROLLING_BACK

    async def answer(self, ask: Ask) -> Answer:
        """Roll a wave back, or everything."""
        record = await self.meant(ask)
        found = re.search(r"\bwave (\d{1,4})\b", ask.text)
        wave = int(found[1]) if found else None
        return self.told("Rolled back", record, await self._steering.back(record, wave, ask.person, ask.channel))


class AnswerPipelineApproval(_Command):
    """Answers a pipeline's manual approval action, for those who may approve the roll-out."""

    said = definitions.ANSWERING

    async def answer(self, ask: Ask) -> Answer:
        """Approve or reject it."""
        record = await self.meant(ask)
        named = _deployment_in(ask)
        if not named:
            raise Invalid("Say of which deployment, such as “approve the pipeline of pool-6”.", field="Deployment")
        approves = re.search(r"\b(approve|reject)\b", ask.text.casefold())
        is_yes = approves is not None and approves[1] == "approve"
        text = await self._steering.answer_approval(record, named, is_yes, ask.person, ask.channel)
        return self.told("Pipeline answered", record, text)


class StealComponent(_Command):
    """Takes a component from who holds it; for operators, and loudly."""

    said = definitions.STEALING

    def is_offered_to(self, person: Person) -> bool:
        """Tell whether the person is an operator."""
        return self.services.policy.may_pause(person).allowed

    async def answer(self, ask: Ask) -> Answer:
        """Give it to the request that is named."""
        request = ask.slots.get("RequestId", "")
        if not request:
            raise Invalid("Say for which request, such as “steal checkout for qm-7k3m9qxa”.", field="RequestId")
        component = ask.slots.get("Component", "").strip(" .").casefold()
        return Answer(await self._steering.steal(component, request, ask.person, ask.channel))


class ExplainFailure(_Command):
    """Tells why a deployment failed."""

    said = definitions.EXPLAINING

    def __init__(self, services: Services, steering: Steering, rollouts: Rollouts, explaining: Explaining) -> None:
        super().__init__(services, steering)
        self._rollouts, self._explaining = rollouts, explaining

    async def answer(self, ask: Ask) -> Answer:
        """Explain the deployment that is named, or the only one that failed."""
        record = await self.meant(ask)
        rollout = await self._rollouts.require(record.id)
        failed = await self._rollouts.targets(record.id, states=("failed",))
        named = _deployment_in(ask)
        if named:
            failed = [t for t in failed if named.casefold() in (t.key, t.key.partition("-")[2])]
        if not failed:
            who = named or "nothing"
            raise Conflict(f"{who} has not failed in request {record.id}." if named else "Nothing has failed.")
        if len(failed) > 1:
            rows = tuple((t.key, t.why or "no reason known") for t in failed[:SHOWN])
            hint = Text(f"Say “why did {failed[0].key} fail?” for the log and the stack's events.", subtle=True)
            card = Card(f"{len(failed)} deployments failed", (Table(("Deployment", "Why"), rows), hint), tone="bad")
            return Answer(card.as_text(), card)
        card = await self._explaining.card(rollout, failed[0])
        return Answer(card.as_text(), card)


class RolloutStatus(_Command):
    """Tells how far a roll-out is."""

    said = definitions.TELLING

    def __init__(self, services: Services, steering: Steering, rollouts: Rollouts) -> None:
        super().__init__(services, steering)
        self._rollouts = rollouts

    async def answer(self, ask: Ask) -> Answer:
        """Return its waves and what holds it up."""
        record = await self.meant(ask)
        rollout = await self._rollouts.find(record.id)
        if rollout is None:
            raise NotFound(
                f"The roll-out of request {record.id} has not begun; it is {record.state.replace('_', ' ')}."
            )
        counts = await self._rollouts.counts(record.id)
        named: list[Target] = await self._rollouts.targets(record.id, states=(*ACTIVE, "failed"), limit=100)
        commit = (("Commit", rollout.commit[:12]),) if rollout.commit else ()
        items: list[Item] = [Facts((("Version", f"{rollout.component} {rollout.version}"), *commit))]
        items.append(Checks(tuple(progress_of(rollout, counts, named))))
        card = Card(f"Roll-out {record.id}: {record.plan.summary}", tuple(items), request=record.id)
        return Answer(card.as_text(), card)


def _deployment_in(ask: Ask) -> str:
    """Return the deployment that a sentence names: as the recogniser cut it, or as it stands after pool or silo."""
    said = ask.text.casefold()
    if found := re.search(r"\b(pool|silo)[- ]([a-z0-9][\w.-]*)", said):
        return f"{found[1]}-{found[2].rstrip('.')}"
    named = ask.slots.get("Deployment", "").strip(" .?!").casefold()
    return (
        "" if named in ("failed", "failed ones", "all", "them", "it", "the rollout", "rollout", "deployment") else named
    )
