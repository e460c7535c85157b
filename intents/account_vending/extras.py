"""The house's own questions: asked after the original three, each answer a tag of the account."""

from __future__ import annotations

import re

from bot import tags
from bot.errors import Invalid
from bot.house import TAG_TEXT, ExtraSlot
from bot.intent import Slot, SlotType, Value
from bot.people import checked_email
from bot.words import either

MAX_VALUE = 256
"""Characters that a tag's value may have (Organizations)."""
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,6})?")
_QUESTIONS = {
    "text": "What is the {name} of this account?",
    "email": "What is the e-mail address of the {name} of this account?",
    "number": "What is the {name} of this account? Give a number.",
    "choice": "What is the {name} of this account? {choices}?",
}


def slot_of(extra: ExtraSlot) -> Slot:
    """Return the question as the dialogue and every recogniser know it."""
    prompt = extra.prompt or _QUESTIONS[extra.kind].replace("{name}", extra.name)
    return Slot(
        extra.slot,
        _type_of(extra),
        prompt=prompt,
        required=extra.required,
        label=extra.name[:1].upper() + extra.name[1:],
        utterances=tuple(words.replace("{}", "{" + extra.slot + "}") for words in _answers_to(extra)),
    )


def utterances_of(extra: ExtraSlot) -> tuple[str, ...]:
    """Return first sentences that name an answer, too."""
    said, value = _said(extra), "{" + extra.slot + "}"
    sentences = [
        f"I need a {{AccountType}} account with {said} {value}",
        f"I need a {{AccountType}} account in {{AccountOU}} for {{RootEmail}} with {said} {value}",
        f"I need a {{AccountType}} account in {{AccountOU}} for {{RootEmail}}, {said} {value}",
    ]
    if extra.tag_key == tags.OWNER:
        sentences.append(f"I need a {{AccountType}} account owned by {value}")
    return tuple(sentences)


def checked_answer(extra: ExtraSlot, value: str) -> str:
    """Return the answer as it will be tagged; raises Invalid with what would do."""
    found = _checked_kind(extra, value)
    if extra.pattern:
        found = _fitting(extra.pattern, found)
    if extra.pattern and not re.fullmatch(extra.pattern, found):
        hint = extra.hint or f"It must match {extra.pattern}."
        raise Invalid(f"“{found[:80]}” is no {extra.name}.", field=extra.slot, next_step=hint)
    if len(found) > MAX_VALUE:
        raise Invalid(
            f"That has {len(found)} characters; the {extra.name} becomes a tag, which may have {MAX_VALUE}.",
            field=extra.slot,
            next_step="Say it shorter.",
        )
    if not TAG_TEXT.fullmatch(found):
        raise Invalid(
            f"“{found[:80]}” has characters that a tag can't have, and the {extra.name} becomes a tag.",
            field=extra.slot,
            next_step="Use letters, digits, blanks and . : / = + @ _ -.",
        )
    return found


def _fitting(pattern: str, text: str) -> str:
    """Return what of the text fits: all of it, in small or capital letters too, else its one word that does."""
    for words in ([text], text.split()):
        fits = {s for w in words for s in (w, w.lower(), w.upper()) if re.fullmatch(pattern, s)}
        if len(fits) == 1 or text in fits:
            return text if text in fits else fits.pop()
    return text


def _checked_kind(extra: ExtraSlot, value: str) -> str:
    text = value.strip().strip('"“”‘’').strip()
    match extra.kind:
        case "email":
            return checked_email(text)
        case "choice":
            chosen = next((c for c in extra.choices if c.casefold() == text.casefold()), None)
            if chosen is None:
                raise Invalid(f"“{text[:80]}” is not one of {either(extra.choices)}.", field=extra.slot)
            return chosen
        case "number":
            if not _NUMBER.fullmatch(text):
                raise Invalid(f"“{text[:80]}” is not a number.", field=extra.slot, next_step="Give one such as 12.")
            return text
    if not text:
        raise Invalid(f"The {extra.name} is empty.", field=extra.slot)
    return text


def _type_of(extra: ExtraSlot) -> SlotType:
    name = f"House{extra.slot}"
    match extra.kind:
        case "email":
            return SlotType("AMAZON.EmailAddress")
        case "number":
            return SlotType("AMAZON.Number")
        case "choice":
            return SlotType(name, tuple(Value(choice) for choice in extra.choices))
    return SlotType(name, listed=False)


def _answers_to(extra: ExtraSlot) -> tuple[str, ...]:
    said = _said(extra)
    owned = ("owned by {}",) if extra.tag_key == tags.OWNER else ()
    return (
        "{}",
        f"the {said} is {{}}",
        f"{said} is {{}}",
        f"{said} {{}}",
        f"the {said} should be {{}}",
        f"change the {said} to {{}}",
        f"set the {said} to {{}}",
        *owned,
    )


def _said(extra: ExtraSlot) -> str:
    """Return the name as a sample utterance may hold it: letters, digits and single blanks."""
    return " ".join(re.findall(r"[A-Za-z0-9]+", extra.name)).casefold()
