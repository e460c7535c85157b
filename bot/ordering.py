"""Placing a request for a program or a schedule: nobody is asked anything; what is missing or forbidden is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.activity import Activity, Person
from bot.card import Text
from bot.conversations import keep_place
from bot.database import Transaction
from bot.dialogue.placing import Placing
from bot.dialogue.session import Form
from bot.errors import Conflict, Invalid, Refused
from bot.intent import Ask, Change
from bot.policy import refused
from bot.policy.refusals import keep_refusal
from bot.requests import Filter, RequestRecord
from bot.services import Services

FOLLOWING = "following"
"""The channel that requests are placed from which others need."""


async def place_request(
    services: Services,
    intent: Change,
    given: Mapping[str, str],
    person: Person,
    *,
    conversation: str,
    channel: str,
    owner: str = "",
) -> RequestRecord:
    """Validate the slots, plan, and place the request, as the person's; a conversation gets one only.

    Placed a second time in the same conversation, the first request is returned. Raises Refused (policy, or nobody
    could approve it), Invalid (a slot), Conflict (something stands against the plan) and CloudError. What policy
    refused is kept in the record.
    """
    if standing := await _placed_in(services, conversation):
        return standing
    activity = Activity(f"{conversation}:placed", channel, conversation, person, owner=owner)
    placing = await _prepared(services, intent, given, activity)

    async def work(transaction: Transaction) -> str:
        await keep_place(transaction, activity, services.clock)
        placed = await placing.commit(transaction)
        if not placed.request_id:
            raise Conflict(placed.answer.text)
        return placed.request_id

    return await services.requests.find(await services.database.write(work))


async def place_following(
    services: Services, intent: Change, given: Mapping[str, str], parent: RequestRecord, *, name: str, why: str
) -> str:
    """Place the request that another one needs, in its conversation and as its requester's; return its id.

    Once per `name`, however often it is called: the id is noted on the parent in the same transaction. It is approved
    as any other. `why` is told first. Raises as `place_request` does.
    """
    if standing := (await services.requests.find(parent.id)).notes.get(name):
        return str(standing)
    activity = Activity(f"{parent.id}:{name}", FOLLOWING, parent.conversation, parent.requester, owner=parent.owner)
    placing = await _prepared(services, intent, given, activity)

    async def work(transaction: Transaction) -> str:
        await services.requests.lock(transaction, parent.id)
        current = await services.requests.read(transaction.connection, parent.id)
        if current is not None and current.notes.get(name):
            return str(current.notes[name])
        placed = await placing.commit(transaction)
        if not placed.request_id:
            raise Conflict(placed.answer.text)
        await services.requests.note(transaction, parent.id, **{name: placed.request_id})
        card = placed.answer.card
        await services.conversations.notify(
            transaction,
            parent.conversation,
            f"{parent.id}:{name}",
            f"{why} {placed.answer.text}",
            replace(card, items=(Text(why), *card.items)) if card else None,
            placed.request_id,
        )
        return placed.request_id

    return await services.database.write(work)


async def _prepared(services: Services, intent: Change, given: Mapping[str, str], activity: Activity) -> Placing:
    """Return the request, validated, planned, and ready to be placed; a refusal is kept."""
    try:
        return await _plan(services, intent, given, activity)
    except Refused as error:
        if asked := error.asked:
            await services.database.write(
                lambda transaction: keep_refusal(transaction, services.audit, activity.person, intent.definition, asked)
            )
        raise


async def _plan(services: Services, intent: Change, given: Mapping[str, str], activity: Activity) -> Placing:
    person, conversation, channel, owner = activity.person, activity.conversation, activity.channel, activity.owner
    decision = services.policy.may_ask(person, intent.definition, intent.shape, dict(given), channel=channel)
    if not decision.allowed:
        raise refused("You may not ask for this.", decision)
    ask = Ask(person, dict(given), conversation, channel, owner)
    form = Form(intent.definition.name)
    for slot in await intent.slots(ask):
        if slot.name in given:
            form.slots[slot.name] = await intent.validate(slot.name, given[slot.name], ask)
        elif slot.required:
            raise Invalid(f"The {(slot.label or slot.name).lower()} is missing.", field=slot.name)
    form.slots |= {name: value for name, value in given.items() if name not in form.slots}
    plan = await intent.prepare(Ask(person, form.slots, conversation, channel, owner))
    if plan.problems:
        reasons = " ".join(check.sentence for check in plan.problems)
        raise Conflict(
            f"Nothing was started. {reasons}", next_step=" ".join(c.next_step for c in plan.problems).strip()
        )
    form.digest = plan.digest
    placing = Placing(services, intent, form, plan, activity)
    await placing.require_approvable()
    return placing


async def _placed_in(services: Services, conversation: str) -> RequestRecord | None:
    page = await services.requests.list(Filter(conversation=conversation, limit=1))
    return page.items[0] if page.items else None
