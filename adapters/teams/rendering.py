"""Card → Adaptive Card 1.5, within the size of a message whatever is in the card. Pure.

Every text stands in a TextRun, which knows no Markdown: what people typed can make no link, mention or formatting.
What goes past the size is left out, with a link to the console: Teams would refuse it all.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bot.card import Button, Card, Checks, Facts, Image, Item, Link, Quote, StepMark, Table, Text

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
_MARKS: dict[StepMark, str] = {"done": "✓", "running": "…", "waiting": "·", "failed": "✗"}
_STYLES = {"positive": "positive", "destructive": "destructive"}
_TONES = {"good": "Good", "warning": "Warning", "bad": "Attention"}


def render(text: str, card: Card | None, *, console: str) -> dict[str, Any]:
    """Return a message of the bot's as an activity: plain words, or a card with the words above it.

    Words that the card says as well are not said twice. `console` is where all of it can be read.
    """
    if card is None:
        return _fit_text(text, console)
    before, after = text, ""
    said = card.as_text()
    if text.startswith(said):
        before, after = "", text[len(said) :].strip()
    elif text.strip() == card.title.strip():
        before = ""
    head = [*_paragraphs(before), *_title(card)]
    body = [element for item in card.items for element in _elements(item)]
    tail = [*_paragraphs(after), *_small(card.footer), *_buttons(card.buttons)]
    link = f"{console.rstrip('/')}/requests/{card.request}" if card.request else console
    summary = (before.strip() or card.title or text)[:SUMMARY]
    return _fit_card(summary, [*head, *body], tail, link)


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
    notice = _rich([{**_run("This was shortened. "), "isSubtle": True}, _linked("All of it is in the console.", link)])
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


def _message(summary: str, body: list[Element]) -> dict[str, Any]:
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "fallbackText": summary or "…",
        "msteams": {"width": "Full"},
        "body": body,
    }
    return {
        "type": "message",
        "summary": summary or "…",
        "attachments": [{"contentType": CONTENT_TYPE, "content": card}],
    }


def size_of(value: Any) -> int:
    """Return how many bytes something takes in JSON, every sign that is not ASCII written as its code."""
    return len(json.dumps(value))


def _run(text: str) -> Element:
    return {"type": "TextRun", "text": text if len(text) <= CUT else text[:CUT] + "…"}


def _rich(runs: Sequence[Element]) -> Element:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _paragraphs(text: str) -> list[Element]:
    """Return words, one element a line."""
    return [_rich([_run(line)]) for line in text.splitlines() if line.strip()]


def _small(text: str) -> list[Element]:
    return [_rich([{**_run(line), "isSubtle": True, "size": "Small"}]) for line in text.splitlines() if line.strip()]


def _title(card: Card) -> list[Element]:
    if not card.title.strip():
        return []
    run = {**_run(card.title), "weight": "Bolder", "size": "Medium"} if card.items else _run(card.title)
    if color := _TONES.get(card.tone):
        run["color"] = color
    return [_rich([run])]


def _elements(item: Item) -> list[Element]:
    match item:
        case Text(text=text, subtle=True):
            return _small(text)
        case Text(text=text):
            return _paragraphs(text)
        case Quote(text=text, by=by):
            return _paragraphs(f"{by} wrote: “{text}”")
        case Facts(rows=rows):
            bold = [({**_run(name or "–"), "weight": "Bolder"}, _run(value or "–")) for name, value in rows]
            return [_table(bold, (1, 2), has_head=False)] if bold else []
        case Table(head=head, rows=rows):
            cells = [[_run(cell or "–") for cell in row] for row in (head, *rows)]
            return [_table(cells, [1] * len(head), has_head=True)] if head else []
        case Checks(rows=rows):
            return [_rich([_run(f"{_MARKS[mark]} {name}: {sentence}")]) for mark, name, sentence in rows]
        case Image(url=url, alt=alt):
            if not url.startswith(("https://", "http://")):
                return _paragraphs(alt)
            return [{"type": "Image", "url": url, "altText": alt or "a picture"}]
        case Link(title=title, url=url):
            return [_rich([_linked(title, url)])]


def _linked(title: str, url: str) -> Element:
    """Return words that lead somewhere; an address that is none of the web's leads nowhere."""
    if not url.startswith(("https://", "http://")):
        return _run(title or "–")
    return {**_run(title or url), "selectAction": {"type": "Action.OpenUrl", "url": url}}


def _table(rows: Sequence[Sequence[Element]], widths: Sequence[int], *, has_head: bool) -> Element:
    return {
        "type": "Table",
        "firstRowAsHeader": has_head,
        "showGridLines": has_head,
        "columns": [{"width": width} for width in widths],
        "rows": [
            {"type": "TableRow", "cells": [{"type": "TableCell", "items": [_rich([cell])]} for cell in row]}
            for row in rows
        ],
    }


def _buttons(buttons: Sequence[Button]) -> list[Element]:
    """Return buttons, or one list for many choices of a kind; those that can't be shown can be typed instead."""
    usable = [b for b in buttons if b.title.strip() and b.verb and len(b.value) <= VALUE]
    choices = [b for b in usable if b.verb == "fill" and b.value]
    elements: list[Element] = []
    actions = [_action(b.title, b.verb, {"value": b.value}, b.style) for b in usable]
    if len(choices) > FEW:
        elements.append(
            {
                "type": "Input.ChoiceSet",
                "id": "choice",
                "style": "filtered",
                "label": "Choose one",
                "isRequired": True,
                "errorMessage": "Choose one of the list.",
                "choices": [{"title": b.title, "value": b.value} for b in choices],
            }
        )
        others = [_action(b.title, b.verb, {"value": b.value}, b.style) for b in usable if b.verb != "fill"]
        # Whoever presses another button need not choose.
        actions = [_action("Choose", "fill", {}, "positive"), *({**a, "associatedInputs": "none"} for a in others)]
    sets = (actions[n : n + ACTIONS] for n in range(0, len(actions), ACTIONS))
    return [*elements, *({"type": "ActionSet", "actions": row} for row in sets)]


def _action(title: str, verb: str, data: dict[str, str], style: str) -> Element:
    made = {"type": "Action.Execute", "title": title[:TITLE], "verb": verb, "data": data}
    return {**made, "style": _STYLES[style]} if style in _STYLES else made
