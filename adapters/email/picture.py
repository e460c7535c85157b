"""What an approver is shown, in mails, in notices and on the page: the server's record, nothing else."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from bot.activity import clean_text
from bot.approvals import ApprovalView
from bot.approvals.office import CHANGES
from bot.plan import CheckResult
from bot.requests import RequestRecord
from bot.services import Services

MARKS: dict[CheckResult, tuple[str, str]] = {
    "ok": ("✓", "OK"),
    "waits": ("…", "Waits"),
    "fails": ("✗", "Fails"),
}
"""How the result of a check is shown: a sign, and the word for those who can't see it."""


@dataclass(frozen=True)
class CheckLine:
    """One check of the plan, ready to show."""

    result: CheckResult
    sign: str
    word: str
    name: str
    sentence: str


@dataclass(frozen=True)
class Picture:
    """One request as its approver sees it. `asked` is what was understood of their words.

    `requester_name` is what people call themselves, made harmless by `defuse_name`: show it in quotation
    marks and after the address, which is what counts.
    """

    request: str
    title: str
    summary: str
    requester_name: str
    requester_email: str
    asked: tuple[tuple[str, str], ...]
    details: tuple[tuple[str, str], ...]
    checks: tuple[CheckLine, ...]
    tier: str
    version: int
    expires_on: str
    expires_in: str
    is_rehearsal: bool
    console_url: str
    changes: tuple[tuple[str, str], ...] = ()
    """What differs from the plan that was asked about before."""
    needs: str = ""
    """Whose approvals it takes, where one is not enough."""


def picture_request(services: Services, record: RequestRecord, expires_at: datetime | None = None) -> Picture:
    """Return what there is to see of a request; `expires_at` defaults to the record's own."""
    expires_at = expires_at or record.expires_at
    intent = services.registry.get(record.intent)
    labels = {slot.name: slot.label or slot.name for slot in intent.definition.slots} if intent else {}
    requester, requirement = record.requester, services.approvals.requirement_of(record)
    return Picture(
        request=record.id,
        title=intent.definition.title if intent else record.intent,
        summary=record.plan.summary,
        requester_name=defuse_name(requester.name or f"{requester.given_name} {requester.family_name}"),
        requester_email=requester.email,
        asked=tuple((labels.get(name, name), str(value)) for name, value in record.slots.items() if value),
        details=record.plan.details,
        checks=tuple(
            CheckLine(c.result, *MARKS[c.result], c.name, f"{c.sentence} {c.next_step}".strip())
            for c in record.plan.checks
        ),
        tier=record.tier,
        version=record.version,
        expires_on=say_moment(expires_at) if expires_at else "",
        expires_in=say_distance(expires_at - services.clock.now()) if expires_at else "",
        is_rehearsal=services.settings.mode == "observe",
        console_url=f"{services.settings.public_url.rstrip('/')}/requests/{quote(record.id, safe='')}",
        changes=tuple((name, f"{before} → {after}") for name, before, after in record.notes.get(CHANGES, ())),
        needs=requirement.words if requirement.is_several or requirement.sign_in else "",
    )


def picture_approval(services: Services, view: ApprovalView) -> Picture:
    """Return what there is to see of the request that an approval is about."""
    return picture_request(services, view.request, view.expires_at)


def defuse_name(name: str) -> str:
    """Return a name that can't pass for our words: one line, short, no quotation marks, nothing to make a link of.

    Mail programs make links of plain text too: of "://", "www.", addresses and bare domains.
    """
    plain = clean_text(unicodedata.normalize("NFKC", clean_text(name)))
    plain = "".join(c for c in plain if unicodedata.category(c) != "Cf" or c in _JOINERS)
    plain = _QUOTES.sub("'", plain).replace("://", " ").replace("@", " (at) ")
    plain = " ".join(_INSIDE.sub(r"\1 ", plain).split())
    return plain if len(plain) <= MAX_NAME else plain[: MAX_NAME - 1].rstrip() + "…"


MAX_NAME = 60
"""Characters of a requester's name that are shown."""
_JOINERS = frozenset("\u200c\u200d")
"""Invisible, but several scripts and emoji are misspelt without them."""
_QUOTES = re.compile('["\u00ab\u00bb\u201c-\u201f\u2039\u203a\u300c-\u300f\u301d-\u301f]')
_INSIDE = re.compile("([.:\u3002])(?=\\S)")
"""Dots and colons within a word, as in a domain or in "mailto:"."""


def say_moment(moment: datetime) -> str:
    """Return a moment as "Sunday 22 November 2026, 10:00 UTC"."""
    utc = moment.astimezone(UTC)
    return f"{utc:%A} {utc.day} {utc:%B %Y, %H:%M} UTC"


def say_distance(distance: timedelta) -> str:
    """Return a time span from now, such as "in 48 hours"; what lies behind is "now"."""
    minutes = round(distance.total_seconds() / 60)
    if minutes < 1:
        return "now" if distance <= timedelta(0) else "in less than a minute"
    if minutes < 120:
        return f"in {minutes} minute{'s' if minutes > 1 else ''}"
    hours = round(minutes / 60)
    return f"in {hours} hours" if hours <= 72 else f"in {round(hours / 24)} days"
