"""Keeps secrets that people type out of everything: they are taken out of an activity before it is stored.

Two nets. A form that asks for something secret (`Slot.secret`) takes only words that can be no secret, such as
"cancel", and references to where the secret is kept; whatever else is said then is replaced as a whole. In any
text, what follows "password is", "MasterPassword=" and the like is replaced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from bot.activity import STOP_WORDS, Activity
from bot.database import Database
from bot.database.tables import identities, sessions
from bot.dialogue.abandoning import abandons
from bot.dialogue.phrases import ANEW, CONTINUE, SKIP, THANKS, YES_OR_NO, bare

WITHHELD = "[withheld]"
REFERENCE = re.compile(
    r"(?:\{\{\s*resolve:)?(secretsmanager|ssm-secure):([A-Za-z0-9][A-Za-z0-9/_+=.@:-]{0,199})\s*(?:\}\})?"
)
"""Where CloudFormation finds a secret: "secretsmanager:app/db" or "{{resolve:secretsmanager:app/db}}"."""
_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]{1,200}")
_HARMLESS = STOP_WORDS | CONTINUE | ANEW | SKIP | YES_OR_NO | THANKS | {"help", "default", "the default"}
_NAMED = re.compile(
    r"(?<![:/\w])(?P<name>[\w-]*(?:password|passwd|passphrase|passcode|pwd)"
    r"|secret[ _-]?(?:key|value)|(?:api|access|private)[ _-]?key)"
    r"(?P<link>\s*(?::=|=>|->|:|=)\s*|\s+(?:is|was|be|to be|shall be|should be|to|as)\s+)(?P<value>.+)",
    re.IGNORECASE | re.DOTALL,
)
_BESIDE = re.compile(
    r"(?<![:/\w])(?P<name>[\w-]*(?:password|passwd|passphrase|passcode))(?P<link>\s+)(?P<value>(?=\S*[\d\W_])\S{6,})",
    re.IGNORECASE,
)


def reference_of(text: str) -> str:
    """Return CloudFormation's reference to the secret that a text names by service and name, or by ARN; else empty."""
    plain = text.strip().strip("“”\"'").strip()
    if found := REFERENCE.fullmatch(plain):
        return f"{{{{resolve:{found[1]}:{found[2]}}}}}"
    return f"{{{{resolve:secretsmanager:{plain}}}}}" if _ARN.fullmatch(plain) else ""


def withhold_named(text: str, names: Sequence[str] = ()) -> str:
    """Return a text in which what is announced as a secret, or as one of `names`, is replaced."""
    text = _NAMED.sub(_blank, text)
    text = _BESIDE.sub(_blank, text)
    for name in names:
        spoken = r"[\s_-]*".join(map(re.escape, re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name) or [name]))
        pattern = rf"(?<!\w)(?P<name>{spoken})(?P<link>[\s:=>-]+(?:(?:is|to|as|be)\s+)?)(?P<value>.+)"
        text = re.sub(pattern, _blank, text, flags=re.IGNORECASE | re.DOTALL)
    return text


def _blank(found: re.Match[str]) -> str:
    value = found["value"].rstrip(".,;!?)")
    is_kept = value == WITHHELD or reference_of(value) or bare(value) in _HARMLESS
    return found[0] if is_kept else f"{found['name']}{found['link']}{WITHHELD}"


async def without_secrets(database: Database, activities: Sequence[Activity]) -> list[Activity]:
    """Return the activities as they may be stored. Looks at open forms; raises Unavailable as the database does."""
    asked = {a.conversation for a in activities}
    query = select(sessions.c.conversation).where(sessions.c.conversation.in_(asked))
    async with database.read() as connection:
        begun = set((await connection.execute(query)).scalars())  # most conversations have no form yet
    return [_withheld(a, await _open_form(database, a) if a.conversation in begun else {}) for a in activities]


def _withheld(activity: Activity, form: dict[str, Any]) -> Activity:
    """Return one activity as it may be stored while that form is open."""
    if activity.kind == "press" and activity.verb == "submit":
        return replace(activity, value=_submitted(activity.value))
    if activity.kind == "press" and activity.verb not in ("fill", "say"):
        return activity
    secret = list(form.get("secret") or ())
    if activity.kind == "press" and activity.verb == "fill":
        slot, _, value = activity.value.partition("=")
        is_kept = slot not in secret or reference_of(value) or bare(value) in _HARMLESS
        return activity if is_kept else replace(activity, value=f"{slot}={WITHHELD}")
    said = activity.value if activity.kind == "press" else activity.text
    if secret and form.get("asking") in secret:
        is_kept = reference_of(said) or bare(said) in _HARMLESS or abandons(said)
        kept = said if is_kept else WITHHELD
    else:
        kept = withhold_named(said, secret)
    if kept == said:
        return activity
    return replace(activity, value=kept) if activity.kind == "press" else replace(activity, text=kept)


def _submitted(value: str) -> str:
    """Return a whole form without the secrets that its answers announce, or that answer what asks for one by name."""
    try:
        given = json.loads(value)
        slots = dict(given["slots"])
    except (ValueError, KeyError, TypeError):
        return value
    for name, answer in slots.items():
        said = str(answer)
        announced = withhold_named(f"{name}={said}").partition("=")[2]
        slots[name] = withhold_named(said if announced == said else announced)
    return json.dumps({**given, "slots": slots}, ensure_ascii=False)


async def _open_form(database: Database, activity: Activity) -> dict[str, Any]:
    query = select(sessions.c.state).where(sessions.c.conversation == activity.conversation)
    if activity.platform_id:  # whoever has a form open was known before
        query = query.join(identities, identities.c.person_id == sessions.c.person_id).where(
            identities.c.channel == activity.channel, identities.c.platform_id == activity.platform_id
        )
    else:
        query = query.where(sessions.c.person_id == activity.person.id)
    async with database.read() as connection:
        state = (await connection.execute(query)).scalar_one_or_none()
    return dict((state or {}).get("form") or {})
