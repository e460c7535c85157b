"""Follow-ups of lists and of health: what “just the high ones” or “and yesterday?” changes of what was shown. Pure.

A card keeps the question that it answers in words of ours (`say_filters`), which `read_filters` reads back; a follow-up
changes the filters that it names and keeps the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.insights import SEVERITIES
from bot.organization import Organization
from intents.insights.filters import Filters, read_filters

_NO_SENTENCE = (
    r"(?!.*\b(?:what|which|who\w*|how|why|when|where|is|are|was|were|do|does|did|don't|can|could|would|should|has|have"
    r"|i|i'll|we|you|me|my|mine|it|please|show|list|tell|give|get|find|make|let\w*|start|stop|pause|resume|cancel"
    r"|close|create|retry|skip|help|order|mute|unmute|qm-\w+|requests?|products?|deployments?|experiments?|releases?"
    r"|roll-?outs?|approvals?|reports?|costs?|spend\w*|owners?|pipelines?|versions?|polic\w+|keys?|watch\w*"
    r"|templates?|schedules?)\b)"
)
_REST = r"[\w./:@=+-]+(?:,? [\w./:@=+-]+){0,7}"
FOLLOW_UPS = (
    rf"(?:(?:and |but |now )?(?:what about|how about|(?:the )?same(?: but)?)|and|but|just|only|now|without|also)"
    rf"(?: (?:also|just|only|now|without|not))* {_NO_SENTENCE}{_REST}"
    rf"|{_NO_SENTENCE}(?:in|for|on|of|the) {_REST} only"
    rf"|{_NO_SENTENCE}the [\w-]+(?: [\w-]+){{0,2}} ones"
    rf"|{_NO_SENTENCE}[\w-]+(?: [\w-]+){{0,3}} ones only"
    rf"|(?:show|list|give)(?: (?:me|us))? (?:just|only) {_NO_SENTENCE}{_REST}"
    rf"|which (?:ones|of (?:them|these|those)) (?:are|were) {_NO_SENTENCE}{_REST}"
    r"|(?:(?:and|but|now|what about|how about) )?everywhere(?: else)?"
)
"""What texts look like that may narrow what was just shown, folded and without courtesies."""
_EVERYWHERE = re.compile(r"\beverywhere\b")
_ALSO = re.compile(r"\b(?:also|too|as well)\b", re.IGNORECASE)
_WITHOUT = re.compile(r"\b(?:without|not|except)\b")
_HEALTH = "health"
_BY = re.compile(r"\bby (?:account|ou|region|stack|service|tag(?: [\w.:-]+)?)$")
_SPOKEN_SERVICES = {
    "DYNAMO_DB": "dynamodb",
    "API_GATEWAY": "api gateway",
    "NAT_GATEWAY": "nat",
    "ELASTI_CACHE": "elasticache",
    "STEP_FUNCTIONS": "step functions",
}
_SPOKEN_TOPICS = {"throttl": "throttling", "error": "errors"}
_PLACES = ("accounts", "units", "named_units", "thing", "regions")
"""Filters that “everywhere” takes away."""
_TOGETHER: tuple[tuple[str, ...], ...] = (
    ("kind",),
    ("severities",),
    ("state",),
    ("accounts", "units", "named_units", "thing"),
    ("regions",),
    ("stack", "resource"),
    ("tags",),
    ("services", "topics"),
    ("span",),
)
"""Filters of which naming one replaces the others."""


@dataclass(frozen=True)
class FollowUp:
    """What was asked before, what a text names of its own, and both together."""

    was_health: bool
    by: str
    """By what places health was told apart, as it was said: "by service", empty for the usual ones."""
    named: Filters
    whole: Filters

    @property
    def names_places_alone(self) -> bool:
        """Tell whether nothing is named that health has no part of."""
        named = self.named
        return not (named.kind or named.severities or named.state or named.span)


def say_filters(filters: Filters) -> str:
    """Return filters in words that `read_filters` reads as the same ones, but for the page."""
    parts = [filters.state] if filters.state else []
    if filters.severities:
        parts.append(" and ".join(severity.casefold() for severity in filters.severities) + " severity")
    if filters.kind:
        parts.append(filters.kind.casefold())
    parts += ["insights", *_said_places(filters)]
    if filters.span:
        words = filters.span.words.partition(" (")[0]
        length = re.fullmatch(r"more than (.+) ago", words)
        parts.append(f"older than {length[1]}" if length else words)
    return " ".join(parts)


def say_health(filters: Filters, by: str) -> str:
    """Return a question about health in words, with "by service" or the like as it was said."""
    return " ".join(filter(None, (_HEALTH, *_said_places(filters), by)))


def _said_places(filters: Filters) -> list[str]:
    parts = []
    if filters.topics:
        parts.append("about " + " and ".join(_SPOKEN_TOPICS.get(t, t) for t in filters.topics))
    if filters.services:
        parts.append("of " + " and ".join(_SPOKEN_SERVICES.get(s, s.casefold()) for s in filters.services))
    if filters.stack:
        parts.append(f"of the stack {filters.stack}")
    if filters.resource:
        parts.append(f"of the resource {filters.resource}")
    parts += [f"tagged {tag}" if ":" not in tag.partition("=")[0] else tag for tag in filters.tags]
    if filters.thing:
        parts.append(f"in {filters.thing}")
    if places := [*filters.named_units, *filters.accounts]:
        parts.append("in " + " and ".join(places))
    if filters.regions:
        parts.append("in " + " and ".join(filters.regions))
    return parts


def read_follow_up(
    said: str,
    asked: str,
    now: datetime,
    organization: Organization,
    regions: Sequence[str],
    *,
    may_be_same: bool = False,
) -> FollowUp | None:
    """Return what a text asks for after a card that keeps `asked`; None when it changes nothing, unless it may.

    Raises Invalid for names and times that there are none of.
    """
    was_health = asked.startswith(_HEALTH)
    found = _BY.search(asked) if was_health else None
    by = found[0] if found else ""
    before = read_filters(asked.removesuffix(by), {}, now, organization, regions)
    if _EVERYWHERE.search(said.casefold()):
        anywhere = replace(before, **{name: getattr(Filters(), name) for name in _PLACES}, page=1)
        return FollowUp(was_health, by, Filters(), anywhere) if anywhere != replace(before, page=1) else None
    named = replace(read_filters(_ALSO.sub(" ", said), {}, now, organization, regions), page=1)
    if named == Filters():
        return FollowUp(was_health, by, named, replace(before, page=1)) if may_be_same else None
    folded = said.casefold()
    whole = _without(before, named) if _WITHOUT.search(folded) else _changed(before, named, bool(_ALSO.search(said)))
    return FollowUp(was_health, by, named, replace(whole, page=1)) if whole else None


def _changed(before: Filters, named: Filters, also: bool) -> Filters:
    """Return the earlier filters with those that are named instead, or beside them."""
    changes: dict[str, Any] = {}
    for group in _TOGETHER:
        if any(getattr(named, name) for name in group):
            changes |= {name: getattr(named, name) for name in group}
    if named.stack or named.resource:
        changes["thing"] = named.thing
    if named.thing:
        changes |= {"stack": "", "resource": ""}
    if also:
        for name in ("accounts", "named_units", "regions", "tags", "services", "topics"):
            changes[name] = tuple(dict.fromkeys((*getattr(before, name), *getattr(named, name))))
        changes["units"] = before.units | named.units
        held = {*before.severities, *named.severities} if named.severities else before.severities
        changes["severities"] = tuple(severity for severity in SEVERITIES if severity in held)
    return replace(before, **changes)


def _without(before: Filters, named: Filters) -> Filters | None:
    """Return the earlier filters less what is named; None for what they can't be without."""
    if replace(named, severities=(), kind="", state="") != Filters():
        return None
    left = tuple(s for s in before.severities or SEVERITIES if s not in named.severities)
    if not left:
        return None
    kinds, states = {"PROACTIVE": "REACTIVE", "REACTIVE": "PROACTIVE"}, {"open": "closed", "closed": "open"}
    return replace(
        before,
        severities=left if named.severities else before.severities,
        kind=kinds.get(named.kind, before.kind),
        state=states.get(named.state, before.state),
    )
