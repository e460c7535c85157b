"""Card → Block Kit, within its limits whatever is in the card; what is not ours is escaped or taken literally. Pure.

Values stand in plain_text objects, which know no formatting, and are escaped as well; the few mrkdwn texts hold words
of ours only, and markdown only words that mean nothing in it. What goes past the limits of a message is left out, with
a link to the console: Slack would refuse it all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.slack.markdown import MARKS, formatted
from adapters.slack.words import escape, shorten
from bot.card import Button, Card, Checks, Facts, Image, Item, Link, Quote, Table, Text

Block = dict[str, Any]

MAX_BLOCKS = 50
MAX_WEIGHT = 13_000
"""Of a message: the characters of its texts, and BLOCK for each block. Slack takes about 13,200."""
BLOCK = 130
"""What a block weighs in itself: one more divider costs 125 characters of text (slackapi/bolt-js, issue 2509)."""
HEADER, SECTION, FIELD, BUTTON, OPTION, VALUE, ALT = 150, 3000, 2000, 75, 75, 2000, 2000
FIELDS, CONTEXT, ACTIONS = 10, 2000, 25
CONFIRM_TITLE, CONFIRM_TEXT, CONFIRM_BUTTON = 100, 300, 30
FEW = 5
"""Choices up to which each gets a button; more become one select."""
OPTIONS, OPTION_VALUE = 100, 150
FALLBACK = 1000
"""Characters of a message's text, which notifications show."""
LINK = "slack_link"
LABEL = 120
LONGEST_URL = 1500
"""Characters of a link's URL: with its words it must fit into a field of 2,000."""
_STYLES = {"positive": "primary", "destructive": "danger"}


@dataclass(frozen=True)
class Rendered:
    """A message's fallback text, as notifications show it, and its blocks."""

    text: str
    blocks: list[Block]


def render(text: str, card: Card | None, *, console: str, extra: Sequence[Button] = ()) -> Rendered:
    """Return a message of the bot's: its words, then the card, then `extra` buttons.

    Words that the card says as well are not said twice. `console` is where all of it can be read.
    """
    before, after = text, ""
    if card is not None:
        said = card.as_text()
        if text.startswith(said):
            before, after = "", text[len(said) :].strip()
        elif text.strip() == card.title.strip():
            before = ""
    blocks = [*paragraphs(before)]
    tail: list[Block] = []
    if card is not None:
        blocks += head_of(card)
        blocks += [b for item in card.items for b in formatted(item) or blocks_of(item)]
        tail += [*paragraphs(after), *_footer(card)]
    tail += buttons_of([*(card.buttons if card else ()), *extra])
    link = f"{console.rstrip('/')}/requests/{card.request}" if card and card.request else console
    fallback = shorten(text if card is None or before or not card.title else card.title, FALLBACK)
    return Rendered(fallback or "…", fit(blocks, tail, link))


def head_of(card: Card) -> list[Block]:
    """Return a card's title: a header over what it holds, or a plain sentence when it holds nothing."""
    if not card.title:
        return []
    if card.items and len(escape(card.title)) <= HEADER:
        return [{"type": "header", "text": plain(card.title, HEADER)}]
    return paragraphs(card.title)


def paragraphs(text: str) -> list[Block]:
    """Return words as sections, parted at lines where they are too long for one."""
    blocks: list[Block] = []
    chunk = ""
    for line in text.strip("\n").split("\n"):
        for piece in _pieces(line, SECTION - 10):
            if chunk and len(escape(chunk)) + len(escape(piece)) + 1 > SECTION:
                blocks += _section(chunk)
                chunk = piece
            else:
                chunk = f"{chunk}\n{piece}" if chunk else piece
    return [*blocks, *_section(chunk)]


def _pieces(line: str, limit: int) -> Iterable[str]:
    """Yield a line in pieces of which each fits even when it is escaped."""
    begun = length = 0
    for n, sign in enumerate(line):
        cost = len(escape(sign))
        if length + cost > limit:
            yield line[begun:n]
            begun, length = n, 0
        length += cost
    yield line[begun:]


def _section(text: str) -> list[Block]:
    return [{"type": "section", "text": plain(text, SECTION)}] if text.strip() else []


def plain(text: str, limit: int) -> Block:
    """Return a plain_text object: no formatting, no emoji codes, escaped, not longer than `limit`, never empty."""
    return {"type": "plain_text", "text": shorten(text, limit) or " ", "emoji": False}


def mrkdwn(text: str) -> Block:
    """Return a mrkdwn object of words that are ours and escaped where they are not."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def label(text: str) -> Block:
    """Return a name in bold; what could end the bold is taken out."""
    return mrkdwn(f"*{shorten(text.translate(_MARKUP).strip() or '–', LABEL)}*")


def link(title: str, url: str) -> str:
    """Return a link in mrkdwn; a URL can't break out of it, and one that is too long is left out."""
    for sign, code in _UNSAFE.items():
        url = url.replace(sign, code)
    words = shorten(title.translate(_MARKUP).strip() or "–", LABEL * 2)
    return f"<{url}|{words}>" if len(url) <= LONGEST_URL else words


_UNSAFE = {"&": "&amp;", "|": "%7C", ">": "%3E", "<": "%3C", "\n": "", "*": "%2A", "`": "%60", "~": "%7E"}
_MARKUP = str.maketrans({"|": "/", "*": "", "`": "", "~": "", "_": " ", "\n": " "})


def blocks_of(item: Item) -> list[Block]:
    """Return one item of a card as blocks."""
    match item:
        case Text(text=text, subtle=True):
            return [{"type": "context", "elements": [plain(text, CONTEXT)]}] if text.strip() else []
        case Text(text=text):
            return paragraphs(text)
        case Quote(text=text, by=by):
            return paragraphs(f"{by} wrote: “{text}”")
        case Facts(rows=rows):
            return _facts(rows)
        case Table(head=head, rows=rows):
            return _table([head, *rows])
        case Checks(rows=rows):
            return paragraphs("\n".join(f"{MARKS[mark]} {name}: {sentence}" for mark, name, sentence in rows))
        case Image(url=url, alt=alt):
            if not url.startswith(("https://", "http://")) or len(url) > 3000:
                return paragraphs(alt)
            return [{"type": "image", "image_url": url, "alt_text": shorten(alt, ALT) or "a picture"}]
        case Link(title=title, url=url):
            return [{"type": "section", "text": mrkdwn(link(title, url))}]


def _facts(rows: Sequence[tuple[str, str]]) -> list[Block]:
    """Return pairs in two columns: names on the left, values on the right."""
    blocks: list[Block] = []
    for n in range(0, len(rows), FIELDS // 2):
        fields = [f for name, value in rows[n : n + FIELDS // 2] for f in (label(name), plain(value or "–", FIELD))]
        blocks.append({"type": "section", "fields": fields})
    return blocks


def _table(rows: Sequence[Sequence[str]]) -> list[Block]:
    """Return a table in letters of one width; rich text is taken literally, so nothing in it is escaped."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    blocks: list[Block] = []
    chunk: list[str] = []
    for line in lines:
        if chunk and sum(len(x) + 1 for x in chunk) + len(line) > SECTION:
            blocks.append(_preformatted(chunk))
            chunk = []
        chunk.append(line[:SECTION])
    return [*blocks, _preformatted(chunk)] if chunk else blocks


def _preformatted(lines: Sequence[str]) -> Block:
    text = "\n".join(lines) or " "
    inner = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [inner]}


def _footer(card: Card) -> list[Block]:
    return [{"type": "context", "elements": [plain(card.footer, CONTEXT)]}] if card.footer.strip() else []


def buttons_of(buttons: Sequence[Button]) -> list[Block]:
    """Return buttons, or one select for many choices of a kind; those that can't be shown can be typed instead."""
    usable = [b for b in buttons if b.title.strip() and len(b.value) <= VALUE]
    choices = [b for b in usable if b.verb == "fill"]
    blocks: list[Block] = []
    if len(choices) > FEW and all(0 < len(b.value) <= OPTION_VALUE for b in choices):
        blocks.append({"type": "actions", "elements": [_select(choices[:OPTIONS])]})
        usable = [b for b in usable if b.verb != "fill"]
    elements = [_button(b, n) for n, b in enumerate(usable)]
    blocks += [{"type": "actions", "elements": elements[n : n + ACTIONS]} for n in range(0, len(elements), ACTIONS)]
    return blocks


def _button(button: Button, n: int) -> Block:
    made: Block = {
        "type": "button",
        "action_id": f"{button.verb}:{n}"[:255],
        "text": plain(button.title, BUTTON),
    }
    if button.verb == LINK:
        made["url"] = button.value
    elif button.value:
        made["value"] = button.value
    if style := _STYLES.get(button.style):
        made["style"] = style
    if button.verb == "cancel_request":
        made["confirm"] = _asked_back(button.value)
    return made


def _asked_back(request: str) -> Block:
    """Return the question with which Slack asks back before it sends the press: it can't be taken back."""
    return {
        "title": plain("Cancel this request?", CONFIRM_TITLE),
        "text": plain(f"Request {request} is withdrawn for good. Nothing has been done yet.", CONFIRM_TEXT),
        "confirm": plain("Cancel it", CONFIRM_BUTTON),
        "deny": plain("Keep it", CONFIRM_BUTTON),
        "style": "danger",
    }


def _select(choices: Sequence[Button]) -> Block:
    options = [{"text": plain(b.title, OPTION), "value": b.value} for b in choices]
    return {
        "type": "static_select",
        "action_id": "fill:select",
        "placeholder": plain("Choose", 150),
        "options": options,
    }


def fit(blocks: list[Block], tail: list[Block], console: str) -> list[Block]:
    """Return what fits into one message; `tail` (buttons, the question) stays, the end of `blocks` goes first."""
    if len(blocks) + len(tail) <= MAX_BLOCKS and weight(blocks) + weight(tail) <= MAX_WEIGHT:
        return [*blocks, *tail]
    notice: Block = {
        "type": "context",
        "elements": [mrkdwn(f"This was shortened. {link('All of it is in the console.', console)}")],
    }
    tail = tail[-(MAX_BLOCKS - 2) :]
    while tail and weight(tail) > MAX_WEIGHT - weight([notice]):
        tail = tail[1:]
    kept: list[Block] = []
    left = MAX_WEIGHT - weight(tail) - weight([notice])
    for block in blocks:
        cost = weight([block])
        if cost > left or len(kept) + len(tail) + 1 >= MAX_BLOCKS:
            break
        kept.append(block)
        left -= cost
    return [*kept, notice, *tail]


def weight(blocks: Sequence[Block]) -> int:
    """Return what blocks count towards the limit of a message; of markdown it takes a twelfth less than of the rest."""
    marked = characters([b for b in blocks if b["type"] == "markdown"])
    return characters(list(blocks)) + BLOCK * len(blocks) + marked // 12


def characters(value: Any) -> int:
    """Return how many characters of text a part of a message holds."""
    if isinstance(value, dict):
        return sum(
            len(v) if k in ("text", "alt_text") and isinstance(v, str) else characters(v) for k, v in value.items()
        )
    if isinstance(value, list | tuple):
        return sum(characters(v) for v in value)
    return 0
