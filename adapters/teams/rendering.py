"""Card → Adaptive Card 1.5, within the size of a message whatever is in the card. Pure.

Every text stands in a TextRun, which knows no Markdown: what people typed can make no link, mention or formatting.
What goes past the size is left out, with a link to the console: Teams would refuse it all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.teams.arrivals import MESSAGE, REASON
from bot.approvals import MAX_REASON
from bot.card import Button, Card, Checks, Facts, Image, Item, Link, Quote, StepMark, Table, Text
from bot.pictures import pictures_of

Element = dict[str, Any]

CONTENT_TYPE = "application/vnd.microsoft.card.adaptive"
MAX_BYTES = 76_000
"""Of a message as it is sent; Teams takes 80 KB."""
SUMMARY = 500
TITLE = 120
VALUE = 2000
FEW = 5
"""Choices up to which each gets a button; more become one list to choose from."""
ACTIONS = 6
"""Buttons that Teams shows in one row."""
CUT = 16_000
"""Characters of one text."""
REFRESHED = 60
"""People for whom Teams fetches their own view of a card at most; it would fetch it for none of more."""
_NARROWEST, _WIDEST = 4, 24
"""Characters that a column of a table is taken to have, at least and at most."""
_MARKS: dict[StepMark, str] = {"done": "✓", "running": "…", "waiting": "·", "failed": "✗"}
_STYLES = {"positive": "positive", "destructive": "destructive"}
_TONES = {"good": "Good", "warning": "Warning", "bad": "Attention"}


@dataclass(frozen=True)
class Around:
    """What a message has beside the bot's words and card.

    `number` is the message's own, which its actions carry; with `has_reason` there is room to explain a decision,
    and `fault` says what is wrong with what stood there; `note` is small print at the end; of whom `refreshes` names,
    Teams fetches their own view with the action `refresh`; `picture` gives the address of the card's nth own picture.
    """

    number: int = 0
    has_buttons: bool = True
    has_reason: bool = False
    fault: str = ""
    note: str = ""
    extra: tuple[Button, ...] = ()
    refresh: Button | None = None
    refreshes: tuple[str, ...] = ()
    picture: Callable[[int], str] | None = None


BARE = Around()


def render(text: str, card: Card | None, *, console: str, around: Around = BARE) -> dict[str, Any]:
    """Return a message of the bot's as an activity: plain words, or a card with the words above it.

    Words that the card says as well are not said twice. `console` is where all of it can be read.
    """
    if card is None and not (around.extra or around.note):
        return _fit_text(text, console)
    shown = card or Card("")
    before, after = text, ""
    said = shown.as_text()
    if card and text.startswith(said):
        before, after = "", text[len(said) :].strip()
    elif card and text.strip() == shown.title.strip():
        before = ""
    head = [*_paragraphs(before), *_title(shown)]
    addresses = _addresses(shown, around)
    body = [element for item in shown.items for element in _elements(item, addresses)]
    tail = [*_paragraphs(after), *_small(shown.footer), *_small(around.note)]
    if around.has_buttons:
        tail += [*(_reason(around.fault) if around.has_reason else ())]
        tail += _buttons((*shown.buttons, *around.extra), around.number)
    link = f"{console.rstrip('/')}/requests/{shown.request}" if shown.request else console
    summary = (before.strip() or shown.title or text)[:SUMMARY]
    activity = _fit_card(summary, [*head, *body] or _paragraphs("…"), tail, link)
    if around.refresh and around.refreshes:
        action = _action(around.refresh, {"value": around.refresh.value})
        users = list(around.refreshes[:REFRESHED])
        content_of(activity)["refresh"] = {"action": action, "userIds": users}
    return activity


def content_of(activity: dict[str, Any]) -> dict[str, Any]:
    """Return the Adaptive Card in a message that has one."""
    content: dict[str, Any] = activity["attachments"][0]["content"]
    return content


def _fit_text(text: str, console: str) -> dict[str, Any]:
    activity = {"type": "message", "text": text, "textFormat": "plain"}
    if size_of(activity) <= MAX_BYTES:
        return activity
    notice = f"…\nThis was shortened; all of it is in the console: {console}"
    return {**activity, "text": text[: MAX_BYTES // 12] + notice}  # a sign takes at most 12 bytes in JSON


def _fit_card(summary: str, body: list[Element], tail: list[Element], link: str) -> dict[str, Any]:
    whole = _message(summary, [*body, *tail])
    if size_of(whole) <= MAX_BYTES:
        return whole
    notice = rich([{**run_of("This was shortened. "), "isSubtle": True}, _linked("All of it is in the console.", link)])
    left = MAX_BYTES - size_of(_message(summary, [notice]))
    kept_tail: list[Element] = []
    for element in reversed(tail):  # the buttons, which come last, matter most
        if (cost := size_of(element) + 2) < left // 2:
            kept_tail.insert(0, element)
            left -= cost
    kept: list[Element] = []
    for element in body:
        if (cost := size_of(element) + 2) > left:
            break
        kept.append(element)
        left -= cost
    return _message(summary, [*kept, notice, *kept_tail])


def adaptive_card(summary: str, body: list[Element]) -> dict[str, Any]:
    """Return an Adaptive Card."""
    return {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "fallbackText": summary or "…",
        "msteams": {"width": "Full"},
        "body": body,
    }


def _message(summary: str, body: list[Element]) -> dict[str, Any]:
    return {
        "type": "message",
        "summary": summary or "…",
        "attachments": [{"contentType": CONTENT_TYPE, "content": adaptive_card(summary, body)}],
    }


def size_of(value: Any) -> int:
    """Return how many bytes something takes in JSON, every sign that is not ASCII written as its code."""
    return len(json.dumps(value))


def run_of(text: str) -> Element:
    """Return words as they are."""
    return {"type": "TextRun", "text": text if len(text) <= CUT else text[:CUT] + "…"}


def rich(runs: Sequence[Element]) -> Element:
    """Return a paragraph of runs."""
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _paragraphs(text: str) -> list[Element]:
    """Return words, one element a line."""
    return [rich([run_of(line)]) for line in text.splitlines() if line.strip()]


def _small(text: str) -> list[Element]:
    return [rich([{**run_of(line), "isSubtle": True, "size": "Small"}]) for line in text.splitlines() if line.strip()]


def _title(card: Card) -> list[Element]:
    if not card.title.strip():
        return []
    run = {**run_of(card.title), "weight": "Bolder", "size": "Medium"} if card.items else run_of(card.title)
    if color := _TONES.get(card.tone):
        run["color"] = color
    return [rich([run])]


def _addresses(card: Card, around: Around) -> dict[str, str]:
    """Return where the card's own pictures are shown from, by the URL that they have in the card."""
    if around.picture is None:
        return {}
    kept = (picture for picture in pictures_of(card) if not picture.name.endswith(".svg"))
    return {picture.url: around.picture(picture.number) for picture in kept}


def _elements(item: Item, addresses: dict[str, str]) -> list[Element]:
    match item:
        case Text(text=text, subtle=True):
            return _small(text)
        case Text(text=text):
            return _paragraphs(text)
        case Quote(text=text, by=by):
            return _paragraphs(f"{by} wrote: “{text}”")
        case Facts(rows=rows):
            # Some clients show the first row as a head unless its weight is given.
            plain = [{**run_of(value or "–"), "weight": "Default"} for _, value in rows]
            names = [{**run_of(name or "–"), "weight": "Bolder"} for name, _ in rows]
            bold = list(zip(names, plain, strict=True))
            return [_table(bold, (1, 2), has_head=False)] if bold else []
        case Table(head=head, rows=rows):
            cells = [[run_of(cell or "–") for cell in row] for row in (head, *rows)]
            return [_table(cells, _widths_for((head, *rows)), has_head=True)] if head else []
        case Checks(rows=rows):
            return [rich([run_of(f"{_MARKS[mark]} {name}: {sentence}")]) for mark, name, sentence in rows]
        case Image(url=url, alt=alt):
            address = addresses.get(url, url)
            if not address.startswith(("https://", "http://")):
                return _paragraphs(alt)
            return [{"type": "Image", "url": address, "altText": alt or "a picture"}]
        case Link(title=title, url=url):
            return [rich([_linked(title, url)])]


def _linked(title: str, url: str) -> Element:
    """Return words that lead somewhere; an address that is none of the web's leads nowhere."""
    if not url.startswith(("https://", "http://")):
        return run_of(title or "–")
    return {**run_of(title or url), "selectAction": {"type": "Action.OpenUrl", "url": url}}


def _widths_for(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return columns' shares by their longest cells, within bounds: names break into lines."""
    return [max(_NARROWEST, min(_WIDEST, max(map(len, column)))) for column in zip(*rows, strict=True)]


def _table(rows: Sequence[Sequence[Element]], widths: Sequence[int], *, has_head: bool) -> Element:
    return {
        "type": "Table",
        "firstRowAsHeader": has_head,
        "showGridLines": has_head,
        "columns": [{"width": width} for width in widths],
        "rows": [
            {"type": "TableRow", "cells": [{"type": "TableCell", "items": [rich([cell])]} for cell in row]}
            for row in rows
        ],
    }


def _reason(fault: str) -> list[Element]:
    """Return where a decision is explained, and what is wrong with what stood there."""
    field = {
        "type": "Input.Text",
        "id": REASON,
        "label": "Reason (needed to reject)",
        "isMultiline": True,
        "maxLength": MAX_REASON,
    }
    return [field, *fault_of(fault)]


def fault_of(words: str) -> list[Element]:
    """Return what is wrong with the input above."""
    return [rich([{**run_of(words), "color": "Attention", "weight": "Bolder"}])] if words else []


def _buttons(buttons: Sequence[Button], number: int) -> list[Element]:
    """Return buttons, or one list for many choices of a kind; those that can't be shown can be typed instead."""
    usable = [b for b in buttons if b.title.strip() and b.verb and len(b.value) <= VALUE]
    choices = [b for b in usable if b.verb == "fill" and b.value]
    known = {MESSAGE: number} if number else {}
    elements: list[Element] = []
    actions = [_action(b, {"value": b.value, **known}) for b in usable]
    if len(choices) > FEW:
        elements.append(
            {
                "type": "Input.ChoiceSet",
                "id": "choice",
                "style": "compact",
                "label": "Choose one",
                "isRequired": True,
                "errorMessage": "Choose one of the list.",
                "choices": [{"title": b.title, "value": b.value} for b in choices],
            }
        )
        others = [_action(b, {"value": b.value, **known}) for b in usable if b.verb != "fill"]
        # Whoever presses another button need not choose.
        choose = _action(Button("Choose", "fill", "", "positive"), dict(known))
        actions = [choose, *({**a, "associatedInputs": "none"} for a in others)]
    return [*elements, *actions_of(actions)]


def actions_of(actions: Sequence[Element]) -> list[Element]:
    """Return buttons in rows."""
    rows = (list(actions[n : n + ACTIONS]) for n in range(0, len(actions), ACTIONS))
    return [{"type": "ActionSet", "actions": row} for row in rows]


def _action(button: Button, data: dict[str, Any]) -> Element:
    made = {"type": "Action.Execute", "title": button.title[:TITLE], "verb": button.verb, "data": data}
    return {**made, "style": _STYLES[button.style]} if button.style in _STYLES else made
