"""Which insights a sentence asks for: kind, severity, state, accounts, OUs, Regions, stack, service, time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from bot.accounts import find_account
from bot.errors import Invalid
from bot.insights import SEVERITIES, Insight, Severity
from bot.organization import Organization, Unit
from bot.words import either
from intents.insights.when import Span, read_span

_REGION = re.compile(r"\b[a-z]{2}(?:-gov)?-[a-z]+-\d\b")
_ACCOUNT_ID = re.compile(r"(?<!\d)\d{4}[- ]?\d{4}[- ]?\d{4}(?!\d)")
_STACK = re.compile(r"\bstacks?\s+(?:called |named )?[“\"']?([a-z][\w-]*)")
_ACCOUNT = re.compile(
    r"\baccounts?\s+(?:called |named )?(?!in\b|over\b|since\b|from\b|with\b|that\b|and\b|are\b|is\b|past\b|last\b)"
    r"([\w][\w .-]*?)(?=\s+(?:in|over|since|from|during|with|of|for|and|or|today|yesterday|past|last)\b|\s*(?:\||$))"
)
_UNIT = re.compile(
    r"\b(?:ou|organizational unit)s?\s+(?:called |named )?(?!in\b|over\b|since\b|is\b|are\b)([\w][\w/-]*)"
)
_RESOURCE = re.compile(r"\bresources?\s+(?:called |named )?([\w][\w./:-]*)")
_SORTED = re.compile(
    r"\b(?:function|table|queue|database|instance|cluster|bucket|api|gateway)\s+(?:called |named )?"
    r"(?=[\w./:-]*[-_\d])([a-z][\w./:-]*)"
)
"""A kind of resource and its name, which has a hyphen or a digit in it."""
_TAG = re.compile(
    r"\b(?:tags?|tagged(?: with| as)?)\s+([\w.:/@-]+?)(?:\s*[=:]\s*|\s+(?:is\s+)?)([\w.@/+-]+)"
    r"|\b([\w.:-]+)=([\w.@/+-]+)"
)
_THING = re.compile(r"\b(?:in|for|on|of|at|with|about)\s+(?:(?:the|our|my|all)\s+)*([a-z][\w-]+)")
_LOOSE_ID = re.compile(r"\b(?:accounts?|in|for|of)\s+(\d[\d -]{3,30}\d)(?=\s*(?:$|[a-z]|\|))")
_READ = " | "
"""Stands where a name was read, so that the words on both sides of it do not meet."""
_NO_NAME = re.compile(r"\d|\b(?:in|on|of|for|since|from|to|until|with|about|over|during|at|that|are|is|insights?)\b")
_TRAILING = re.compile(r"\|\s*(?:,\s*)?(?:and|or)\s+(?:(?:the|account)\s+)?([a-z][\w-]*)\s*$")
"""A name at the end, after others that were read: "for Webshop Prod and banana"."""
_PROACTIVE = re.compile(
    r"\b(?:proactive|predict\w*|forecast\w*|foretold|about to|going to|will|soon|upcoming|run(?:s|ning)? out)\b"
)
_REACTIVE = re.compile(r"\breactive\b")
_CLOSED = re.compile(r"\b(?:closed|resolved|solved|ended|over with|fixed)\b")
_OPEN = re.compile(r"\b(?:open|ongoing|active|current|still|right now)\b")
_SEVERITY: Mapping[Severity, re.Pattern[str]] = {
    "HIGH": re.compile(r"\b(?:high|critical|severe|urgent|serious|p1s?|sev ?1s?)\b"),
    "MEDIUM": re.compile(r"\b(?:medium|moderate)\b"),
    "LOW": re.compile(r"\b(?:low|minor)\b"),
}
_AND_ABOVE = re.compile(r"\b(?:or|and) (?:above|higher|more|worse)\b|\bat least\b")
_SERVICES = {
    "LAMBDA": "lambda|lambdas|functions",
    "ECS": "ecs|fargate|containers",
    "EKS": "eks|kubernetes",
    "EC2": "ec2|instances",
    "RDS": "rds|aurora|databases?",
    "DYNAMO_DB": "dynamodb|dynamo",
    "API_GATEWAY": "api ?gateway",
    "SQS": "sqs|queues?",
    "SNS": "sns",
    "S3": "s3|buckets?",
    "NAT_GATEWAY": "nat(?: gateways?)?",
    "ELASTI_CACHE": "elasticache|redis",
    "KINESIS": "kinesis",
    "STEP_FUNCTIONS": "step functions?",
}
_TOPICS = {
    "memory": "memory|ram",
    "storage": "storage|disks?|disk space",
    "cpu": "cpu",
    "duration": "latency|duration|slow",
    "throttl": "throttl\\w*",
    "error": "errors?|5xx|failures?",
}
_NOTHING = frozenset(
    "organization organisation company accounts account insight insights past last previous everything all any time"
    " memory disk space storage day days week weeks month hour hours minutes it that them aws region regions severity"
    " high medium low us now right and or not this fail break stack stacks ou ous problem problems stand ready run"
    " the are is was were there here our my to general particular total detail details yesterday today tomorrow night"
    " morning noon weekend monday tuesday wednesday thursday friday saturday sunday january february march april may"
    " june july august september october november december fire place"
    " from since before after in on for of at with about trouble danger shape need".split()
)
_PAGE = re.compile(r"[\s,(]*\bpage (\d{1,3})\b\)?")


@dataclass(frozen=True)
class Filters:
    """What is asked for; empty parts do not narrow. `units` hold the OUs below those that were named, too."""

    kind: str = ""
    """"REACTIVE" or "PROACTIVE"."""
    severities: tuple[Severity, ...] = ()
    state: str = ""
    """"open" or "closed"."""
    accounts: tuple[str, ...] = ()
    units: frozenset[str] = frozenset()
    named_units: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    stack: str = ""
    resource: str = ""
    tags: tuple[str, ...] = ()
    """key=value, case-folded; all of them."""
    services: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    thing: str = ""
    """A name that is no account, OU or Region: of a stack, perhaps."""
    span: Span | None = None
    page: int = 1

    def passes(self, insight: Insight, *, but_resource: bool = False) -> bool:
        """Tell whether an insight is among those asked for; state and time are the provider's part.

        `but_resource` leaves out what listings do not tell.
        """
        name = insight.name.casefold()
        tags = {tag.casefold() for tag in insight.tags}
        return (
            (not self.kind or insight.is_proactive == (self.kind == "PROACTIVE"))
            and (not self.severities or insight.severity in self.severities)
            and (not (self.accounts or self.units) or insight.account in self.accounts or insight.unit in self.units)
            and (not self.stack or self.stack in {s.casefold() for s in insight.stacks})
            and (but_resource or not self.resource or _is_about(insight, self.resource))
            and all(tag in tags for tag in self.tags)
            and (not self.services or bool(set(self.services) & set(insight.services)))
            and (not self.topics or any(topic in name for topic in self.topics))
            and (not self.thing or any(_holds(self.thing, text.casefold()) for text in (name, *insight.stacks)))
        )


def read_filters(
    text: str, slots: Mapping[str, str], now: datetime, organization: Organization, regions: Sequence[str]
) -> Filters:
    """Return what a sentence asks for; raises Invalid for names and times that there are none of."""
    rest = re.sub(r"[?!“”\"']+|[.,;](?=\s|$)", " ", text.casefold())
    page = int(found[1]) if (found := _PAGE.search(rest)) else 1
    rest = _PAGE.sub("", rest)
    span = read_span(rest, slots, now)
    asked_regions, rest = _read_regions(rest, regions)
    stack = found[1] if (found := _STACK.search(rest)) and found[1] not in _NOTHING else ""
    rest = _STACK.sub(" ", rest) if stack else rest
    tags, rest = _read_tags(rest)
    resource = next((m[1] for p in (_RESOURCE, _SORTED) if (m := p.search(rest)) and m[1] not in _NOTHING), "")
    if resource:
        rest = rest.replace(resource, _READ)
    accounts, rest = _read_accounts(rest, organization)
    units, rest = _read_units(rest, organization)
    _refuse_unknown(rest, organization)
    if (found := _ACCOUNT.search(rest)) and found[1].split()[0] not in _NOTHING:
        accounts.append(find_account(organization, found[1].strip())["Id"])
        rest = rest.replace(found[0], _READ)
    if found := _UNIT.search(rest):
        units.append(find_unit(organization, found[1]))
    services = tuple(s for s, words in _SERVICES.items() if re.search(rf"\b(?:{words})\b", rest))
    topics = tuple(t for t, words in _TOPICS.items() if re.search(rf"\b(?:{words})\b", rest))
    unread = re.sub(rf"\b(?:{'|'.join((*_SERVICES.values(), *_TOPICS.values()))})\b", _READ, rest)
    thing = "" if stack or resource or tags else _read_thing(unread)
    return Filters(
        kind="PROACTIVE" if _PROACTIVE.search(rest) else "REACTIVE" if _REACTIVE.search(rest) else "",
        severities=_read_severities(rest),
        state="closed" if _CLOSED.search(rest) else "open" if _OPEN.search(rest) else "",
        accounts=tuple(dict.fromkeys(accounts)),
        units=units_below(organization, units),
        named_units=tuple(unit.path for unit in units),
        regions=asked_regions,
        stack=stack,
        resource=resource,
        tags=tags,
        services=services,
        topics=topics,
        thing=thing,
        span=span,
        page=max(1, page),
    )


def units_below(organization: Organization, tops: Sequence[Unit]) -> frozenset[str]:
    """Return the ids of these OUs and of all below them."""
    return frozenset(unit.id for unit in organization.units if any(_is_in(unit, top) for top in tops))


def _is_in(unit: Unit, top: Unit) -> bool:
    return unit.id == top.id or unit.path.startswith(f"{top.path}/")


def _read_regions(rest: str, regions: Sequence[str]) -> tuple[tuple[str, ...], str]:
    asked = tuple(dict.fromkeys(_REGION.findall(rest)))
    for region in asked:
        if region not in regions:
            near = get_close_matches(region, list(regions), n=2, cutoff=0.75)
            raise Invalid(
                f"{region} is none of the Regions that are looked after.",
                field="Region",
                next_step=f"Did you mean {either(near)}?" if near else f"Choose {either(list(regions))}.",
            )
    return asked, _REGION.sub(" ", rest)


def _read_tags(rest: str) -> tuple[tuple[str, ...], str]:
    found = []
    for match in list(_TAG.finditer(rest)):
        found.append(f"{match[1] or match[3]}={match[2] or match[4]}")
        rest = rest.replace(match[0], " ")
    return tuple(found), rest


def find_unit(organization: Organization, name: str) -> Unit:
    """Return the OU of that name, registered or not; raises Invalid with those that are called alike."""
    folded = name.casefold().strip("/")
    alike = {words.casefold(): unit for unit in organization.units for words in (unit.name, unit.path, unit.id)}
    if folded in alike:
        return alike[folded]
    near = [alike[word].path for word in get_close_matches(folded, list(alike), n=4, cutoff=0.6)]
    paths = list(dict.fromkeys(near)) or [unit.path for unit in organization.units]
    raise Invalid(
        f"There is no OU called “{name[:60]}”.",
        field="OU",
        next_step=f"{'Did you mean' if near else 'There are'} {either(paths[:8])}{'?' if near else '.'}",
    )


def _holds(name: str, text: str) -> bool:
    """Tell whether a text has a name as words of its own: "ledger" is in ledger-database, "data" is not."""
    return re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", text) is not None


def _is_about(insight: Insight, resource: str) -> bool:
    return any(resource in name.casefold() for name in (insight.name, *insight.resources))


def _read_accounts(rest: str, organization: Organization) -> tuple[list[str], str]:
    """Return the accounts that are named by id or by their whole name, and the text without them."""
    found = []
    for loose in _ACCOUNT_ID.findall(rest):
        found.append(find_account(organization, loose)["Id"])
        rest = rest.replace(loose, _READ)
    folded = _fold(rest)
    for account in sorted(organization.accounts, key=lambda account: -len(account["Name"])):
        name = f" {_fold(account['Name']).strip()} "
        if name.strip() and name in folded:
            found.append(account["Id"])
            rest = _without(rest, name.strip())
            folded = _fold(rest)
    return found, rest


def _read_units(rest: str, organization: Organization) -> tuple[list[Unit], str]:
    """Return the OUs that are named by path or name; of one name all, for a filter need not be told apart."""
    named: dict[str, list[Unit]] = {}
    for unit in organization.units:
        for words in {unit.path, unit.path.replace("/", " "), unit.name}:
            named.setdefault(_fold(words).strip(), []).append(unit)
        if unit.name.casefold() in ("prod", "production"):
            named.setdefault("prod", []).append(unit)
            named.setdefault("production", []).append(unit)
    found: dict[str, Unit] = {}
    folded = _fold(rest)
    for words in sorted(named, key=len, reverse=True):
        if f" {words} " in folded:
            found |= {unit.id: unit for unit in named[words]}
            rest = _without(rest, words)
            folded = _fold(rest)
    return sorted(found.values(), key=lambda unit: unit.path), rest


def _read_severities(rest: str) -> tuple[Severity, ...]:
    named = [severity for severity in SEVERITIES if _SEVERITY[severity].search(rest)]
    if named and _AND_ABOVE.search(rest):
        return SEVERITIES[: SEVERITIES.index(named[-1]) + 1]
    return tuple(named)


def _read_thing(rest: str) -> str:
    return next((word for word in _THING.findall(rest) if word not in _NOTHING), "")


def _fold(text: str) -> str:
    return f" {re.sub(r'[^a-z0-9/]+', ' ', text.casefold()).strip()} "


def _without(rest: str, words: str) -> str:
    pattern = r"[^a-z0-9/]+".join(re.escape(word) for word in words.split())
    return re.sub(rf"(?<![a-z0-9/]){pattern}(?![a-z0-9/])", _READ, rest)


def _refuse_unknown(rest: str, organization: Organization) -> None:
    """Raise Invalid for what stands between names that were read and is none, and for numbers that are no ids."""
    if found := _LOOSE_ID.search(rest):
        find_account(organization, found[1])
    for part in rest.split("|")[1:-1]:
        name = re.sub(r"\b(?:and|or|accounts?|ous?|the)\b", " ", part).strip(" ,&")
        if name and name not in _NOTHING and not _NO_NAME.search(name) and len(name.split()) <= 4:
            find_account(organization, name)
    if (found := _TRAILING.search(rest)) and not _is_word_of_ours(found[1]):
        find_account(organization, found[1])


def _is_word_of_ours(name: str) -> bool:
    known = "|".join((*_SERVICES.values(), *_TOPICS.values()))
    return bool({*name.split()} & _NOTHING) or re.search(rf"\b(?:{known})\b", name) is not None
