"""Draws Block Kit as HTML, for a browser to make a picture of and a person to look at.

Our own, and small: an imitation of Slack's client, near enough to see whether a card reads well, not whether Slack
takes it (that is checked by `blockkit`). A kind of block that it doesn't know is an error, not a gap.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

STYLE = Path(__file__).with_name("drawing.css").read_text(encoding="utf-8")
Theme = Literal["light", "dark"]
Block = Mapping[str, Any]


def draw_page(theme: Theme, *parts: str, names: Mapping[str, str] | None = None) -> str:
    """Return a page; the picture is its element #picture. `names` are those of users who are mentioned by id."""
    inner = "".join(parts)
    for user, name in (names or {}).items():
        inner = inner.replace(f"@{user}", f"@{html.escape(name)}")
    return (
        f'<!doctype html><html lang="en" data-theme="{theme}"><meta charset="utf-8"><title>Slack</title>'
        f'<style>{STYLE}</style><body><div id="picture">{inner}</div></body></html>'
    )


def draw_said(name: str, text: str, time: str = "10:14") -> str:
    """Return what a person said."""
    return _message(
        f'<div class="face person">{html.escape(name[:1])}</div>', html.escape(name), time, draw_words(text)
    )


def draw_message(blocks: Sequence[Block], text: str = "", time: str = "10:14") -> str:
    """Return a message of the bot's; its text is shown only where there are no blocks, as in Slack."""
    inner = draw_blocks(blocks) if blocks else draw_words(text)
    return _message('<div class="face">Q</div>', 'Quartermaster</span><span class="badge">APP', time, inner)


def _message(face: str, who: str, time: str, inner: str) -> str:
    top = f'<span class="who">{who}</span> <span class="time">{time}</span>'
    return f'<div class="message">{face}<div class="body">{top}{inner}</div></div>'


def draw_view(view: Block, errors: Mapping[str, str] | None = None) -> str:
    """Return a home tab, or a window with the errors that an acknowledgement put to its fields."""
    inner = draw_blocks(view["blocks"], errors or {})
    if view["type"] == "home":
        return f'<div class="home">{inner}</div>'
    buttons = f'<span class="button">{_text(view["close"])}</span>' if "close" in view else ""
    if "submit" in view:
        buttons += f'<span class="button primary">{_text(view["submit"])}</span>'
    return (
        f'<div class="modal"><div class="top"><div class="face">Q</div>{_text(view["title"])}</div>'
        f'<div class="middle">{inner}</div><div class="bottom">{buttons}</div></div>'
    )


def draw_blocks(blocks: Sequence[Block], errors: Mapping[str, str] | None = None) -> str:
    """Return blocks, in order; raises ValueError for a kind that can't be drawn."""
    return "".join(_block(block, errors or {}) for block in blocks)


def _block(block: Block, errors: Mapping[str, str]) -> str:
    match block["type"]:
        case "header":
            return f'<div class="block header">{_text(block["text"])}</div>'
        case "divider":
            return '<hr class="divider">'
        case "context":
            inner = " ".join(_element(e) for e in block["elements"])
            return f'<div class="block context">{inner}</div>'
        case "actions":
            return f'<div class="actions">{"".join(_element(e) for e in block["elements"])}</div>'
        case "image":
            return f'<div class="block">{_element(block)}</div>'
        case "section":
            return _section(block)
        case "rich_text":
            return "".join(_rich(e) for e in block["elements"])
        case "markdown":
            lines = re.sub(r"\*\*(.+?)\*\*", r"*\1*", block["text"]).split("\n")
            return "".join(
                f'<div class="block{" quote" * line.startswith("> ")}">{draw_words(line.removeprefix("> "))}</div>'
                for line in lines
            )
        case "input":
            return _input(block, errors.get(block.get("block_id", ""), ""))
        case kind:
            raise ValueError(f"a block of type {kind!r} can't be drawn")


def _section(block: Block) -> str:
    words = f'<div class="text">{_text(block["text"])}</div>' if "text" in block else ""
    if fields := block.get("fields"):
        words += '<div class="fields">' + "".join(f'<div class="text">{_text(f)}</div>' for f in fields) + "</div>"
    accessory = _element(block["accessory"]) if "accessory" in block else ""
    return f'<div class="block section"><div class="words">{words}</div>{accessory}</div>'


def _element(element: Block) -> str:
    match element["type"]:
        case "plain_text" | "mrkdwn":
            return f'<span class="text">{_text(element)}</span>'
        case "button":
            return f'<span class="button {element.get("style", "")}">{_text(element["text"])}</span>'
        case "static_select":
            return _select(element)
        case "image":
            return f'<img alt="{html.escape(_decoded(element["alt_text"]))}" src="{html.escape(element["image_url"])}">'
        case kind:
            raise ValueError(f"an element of type {kind!r} can't be drawn")


def _select(element: Block) -> str:
    chosen = element.get("initial_option")
    shown = _text(chosen["text"]) if chosen else _text(element.get("placeholder", {"text": "Select an option"}))
    return f'<span class="select{" chosen" if chosen else ""}"><span>{shown}</span><span>⌄</span></span>'


def _input(block: Block, error: str) -> str:
    element = block["element"]
    if element["type"] == "static_select":
        field = _select(element)
    elif element["type"] in ("plain_text_input", "email_text_input"):
        value = element.get("initial_value", "")
        shown = html.escape(value) if value else _text(element.get("placeholder", {"text": ""}))
        tall = " tall" if element.get("multiline") else ""
        field = f'<div class="box{tall}{" filled" if value else ""}">{shown}</div>'
    else:
        raise ValueError(f"an input of type {element['type']!r} can't be drawn")
    optional = ' <span class="optional">(optional)</span>' if block.get("optional") else ""
    below = f'<div class="error">{html.escape(error)}</div>' if error else ""
    below += f'<div class="hint">{_text(block["hint"])}</div>' if "hint" in block else ""
    return f'<div class="input"><div class="label">{_text(block["label"])}{optional}</div>{field}{below}</div>'


def _rich(element: Block) -> str:
    kinds = {"rich_text_preformatted": "preformatted", "rich_text_quote": "quote", "rich_text_section": "text"}
    inner = "".join(_piece(piece) for piece in element["elements"])
    return f'<div class="block {kinds[element["type"]]}">{inner}</div>'


def _piece(piece: Block) -> str:
    if piece["type"] == "link":
        return f"<a>{html.escape(piece.get('text') or piece['url'])}</a>"
    if piece["type"] != "text":
        raise ValueError(f"a piece of rich text of type {piece['type']!r} can't be drawn")
    shown = html.escape(piece["text"])
    return f"<b>{shown}</b>" if piece.get("style", {}).get("bold") else shown


def draw_words(text: str) -> str:
    """Return mrkdwn as a paragraph."""
    return f'<div class="text">{_mrkdwn(text)}</div>'


def _text(text: Block) -> str:
    return _mrkdwn(text["text"]) if text.get("type") == "mrkdwn" else html.escape(_decoded(text["text"]))


def _mrkdwn(text: str) -> str:
    parts = re.split(r"(<[^<>\n]+>)", text)
    return "".join(_link(part[1:-1]) if n % 2 else _styled(html.escape(_decoded(part))) for n, part in enumerate(parts))


def _link(inner: str) -> str:
    target, _, label = inner.partition("|")
    return f"<a>{html.escape(_decoded(label or target))}</a>"


def _styled(text: str) -> str:
    text = re.sub(r"(?<!\w)\*(\S(?:[^*\n]*\S)?)\*(?!\w)", r"<b>\1</b>", text)
    text = re.sub(r"(?<!\w)_(\S(?:[^_\n]*\S)?)_(?!\w)", r"<i>\1</i>", text)
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", text)


def _decoded(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
