"""EventBridge's default bus: an event goes to the targets of every rule that it fits, queues and topics among them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sandbox.clock import moment
from sandbox.delivery.patterns import matches, read_pattern
from sandbox.delivery.queue_model import Rule
from sandbox.delivery.queueing import send

if TYPE_CHECKING:
    from sandbox.world import World


def is_heard(
    world: World, account_id: str, region: str, source: str, detail_type: str, state: str = "", category: str = ""
) -> bool:
    """Whether any rule there may want such an event, so that it need be made at all.

    `state` and `category` are what its detail says of itself, as far as that is known.
    """
    return any(
        _may_fit(rule.pattern, source, detail_type, state, category)
        for rule in rules_in(world, account_id, region)
        if rule.targets and rule.state == "ENABLED"
    )


def rules_in(world: World, account_id: str, region: str) -> list[Rule]:
    """The rules of an account and Region."""
    return [r for r in world.delivery.rules.values() if (r.account_id, r.region) == (account_id, region)]


def put_event(
    world: World,
    account_id: str,
    region: str,
    *,
    source: str,
    detail_type: str,
    detail: Mapping[str, Any],
    resources: list[str],
    at: float,
) -> str:
    """Put an event on the bus, and return its id."""
    event: dict[str, Any] = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account_id,
        "time": moment(at).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "region": region,
        "resources": resources,
        "detail": dict(detail),
    }
    text = ""
    for rule in rules_in(world, account_id, region):
        if rule.state == "ENABLED" and rule.pattern and matches(_pattern(rule.pattern), event):
            text = text or json.dumps(event)
            for target in rule.targets.values():
                _deliver(world, target, event, text)
    return str(event["id"])


def _deliver(world: World, target: Mapping[str, Any], event: Mapping[str, Any], text: str) -> None:
    arn = target["Arn"]
    body = target.get("Input") or (_at_path(event, target["InputPath"]) if target.get("InputPath") else text)
    if arn.startswith("arn:aws:sqs:"):
        queue = world.delivery.queue_by_arn(arn)
        if queue is not None:
            send(world, queue, body)
    elif arn in world.zone.topics:
        # Imported late: posting knows queues, to which topics deliver as well.
        from sandbox.posting import publish

        publish(world, arn, body)


def _at_path(event: Mapping[str, Any], path: str) -> str:
    found: Any = event
    for name in path.removeprefix("$").removeprefix(".").split("."):
        found = found.get(name) if name and isinstance(found, Mapping) else found
    return json.dumps(found)


@lru_cache(maxsize=4_096)
def _may_fit(text: str, source: str, detail_type: str, state: str, category: str) -> bool:
    detail: dict[str, Any] = {"state": state} if state else {}
    if category:
        detail["type"] = {"category": category}
    known = {"source": source, "detail-type": detail_type, "detail": detail}
    return matches(_about(_pattern(text), known), known)


def _about(pattern: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a pattern that asks for what is known."""
    return {
        name: _about(wanted, known[name]) if isinstance(wanted, Mapping) else wanted
        for name, wanted in pattern.items()
        if name in known
    }


@lru_cache(maxsize=256)
def _pattern(text: str) -> dict[str, Any]:
    return read_pattern(text)
