"""Block Kit's rules, written down from its reference: what breaks one is named, as Slack would name it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
MESSAGE_CHARACTERS, BLOCK_CHARACTERS = 13_200, 125
"""Measured by others (slackapi/bolt-js, issue 2509): each block counts besides its texts."""
SECTION_TEXT, FIELD_TEXT, FIELDS = 3000, 2000, 10
HEADER_TEXT, CONTEXT_ELEMENTS, ACTION_ELEMENTS = 150, 10, 25
BUTTON_TEXT, BUTTON_VALUE, URL = 75, 2000, 3000
OPTIONS, OPTION_TEXT, OPTION_VALUE, PLACEHOLDER = 100, 75, 150, 150
LABEL, HINT, ID, ALT = 2000, 2000, 255, 2000
MODAL_TITLE, METADATA, MARKDOWN = 24, 3000, 12_000
ACCESSORIES = {"button", "static_select", "image", "overflow", "datepicker"}
INTERACTIVE = {"button", "static_select", "overflow", "datepicker"}
INPUTS = {"plain_text_input", "static_select", "email_text_input", "datepicker", "number_input", "checkboxes"}
RICH = {"rich_text_section", "rich_text_preformatted", "rich_text_quote", "rich_text_list"}


class Rule(AssertionError):
    """A rule that was broken."""


def require(condition: object, words: str) -> None:
    if not condition:
        raise Rule(words)


def check_message(blocks: Any, text: Any = "") -> None:
    """Raise Rule for blocks that Slack would not post."""
    require(isinstance(blocks, list), "blocks is no list")
    require(len(blocks) <= MESSAGE_BLOCKS, f"{len(blocks)} blocks")
    weight = sum(len(t) for t in texts(blocks)) + BLOCK_CHARACTERS * len(blocks)
    require(weight <= MESSAGE_CHARACTERS, "msg_blocks_too_long: more than 13,200 characters")
    require(isinstance(text, str), "text is no string")
    _check_blocks(blocks, {"section", "header", "context", "actions", "divider", "image", "rich_text", "markdown"})
    require(sum(len(b["text"]) for b in blocks if b["type"] == "markdown") <= MARKDOWN, "too much markdown")


def check_view(view: Any) -> None:
    """Raise Rule for a view that Slack would not open or publish."""
    require(isinstance(view, dict), "the view is no object")
    kind = view.get("type")
    require(kind in ("modal", "home"), f"a view of type {kind!r}")
    blocks = view.get("blocks")
    require(isinstance(blocks, list) and len(blocks) <= VIEW_BLOCKS, "a view's blocks")
    _check_blocks(blocks, {"section", "header", "context", "actions", "divider", "image", "rich_text", "input"})
    require(len(view.get("private_metadata", "")) <= METADATA, "private_metadata is too long")
    require(len(view.get("callback_id", "")) <= ID, "callback_id is too long")
    if kind == "home":
        require(not {"title", "submit", "close"} & set(view), "a home tab has no title and no buttons of its own")
        return
    for part in ("title", "submit", "close"):
        if part in view:
            _check_plain(view[part], MODAL_TITLE, part)
    require("title" in view, "a modal without a title")
    if any(b["type"] == "input" for b in blocks):
        require("submit" in view, "a modal with inputs needs a submit button")
    require(len(json.dumps(view)) <= 250_000, "the view is too large")


def _check_blocks(blocks: Any, allowed: set[str]) -> None:
    ids = [b["block_id"] for b in blocks if isinstance(b, dict) and "block_id" in b]
    require(len(ids) == len(set(ids)), f"block_id is not unique: {ids}")
    for block in blocks:
        require(isinstance(block, dict) and block.get("type") in allowed, f"no block is of this type: {block!r}"[:200])
        require(len(block.get("block_id", "x")) in range(1, ID + 1), "block_id is too long or empty")
        _CHECKS[block["type"]](block)
    actions = [e["action_id"] for b in blocks for e in _elements(b) if "action_id" in e]
    require(len(actions) == len(set(actions)), f"action_id is not unique: {actions}")


def _elements(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in (*block.get("elements", ()), block.get("accessory"), block.get("element")):
        if isinstance(part, dict):
            yield part


def _only(value: dict[str, Any], *names: str) -> None:
    foreign = set(value) - {"type", "block_id", *names}
    require(not foreign, f"a {value.get('type')} has no {', '.join(sorted(foreign))}")


def _check_text(value: Any, limit: int, what: str) -> None:
    require(isinstance(value, dict), f"{what} is no text object")
    if value.get("type") == "mrkdwn":
        _only(value, "text", "verbatim")
        require(isinstance(value.get("text"), str) and 0 < len(value["text"]) <= limit, f"{what}: length")
    else:
        _check_plain(value, limit, what)


def _check_plain(value: Any, limit: int, what: str) -> None:
    require(isinstance(value, dict) and value.get("type") == "plain_text", f"{what} must be plain_text")
    _only(value, "text", "emoji")
    text = value.get("text")
    require(isinstance(text, str) and 0 < len(text) <= limit, f"{what}: 1 to {limit} characters, not {len(text or '')}")


def _section(block: dict[str, Any]) -> None:
    _only(block, "text", "fields", "accessory", "expand")
    require("text" in block or "fields" in block, "an empty section")
    if "text" in block:
        _check_text(block["text"], SECTION_TEXT, "a section's text")
    fields = block.get("fields")
    if fields is not None:
        require(isinstance(fields, list) and 0 < len(fields) <= FIELDS, f"{len(fields)} fields")
        for field in fields:
            _check_text(field, FIELD_TEXT, "a field")
    if "accessory" in block:
        require(block["accessory"].get("type") in ACCESSORIES, "no such accessory")
        _element(block["accessory"])


def _header(block: dict[str, Any]) -> None:
    _only(block, "text")
    _check_plain(block.get("text"), HEADER_TEXT, "a header")


def _context(block: dict[str, Any]) -> None:
    _only(block, "elements")
    elements = block.get("elements")
    require(isinstance(elements, list) and 0 < len(elements) <= CONTEXT_ELEMENTS, "a context's elements")
    for element in elements or ():
        if element.get("type") != "image":
            _check_text(element, FIELD_TEXT, "a context's text")


def _actions(block: dict[str, Any]) -> None:
    _only(block, "elements")
    elements = block.get("elements")
    require(isinstance(elements, list) and 0 < len(elements) <= ACTION_ELEMENTS, "an actions block's elements")
    for element in elements or ():
        require(element.get("type") in INTERACTIVE, f"{element.get('type')} is no action")
        _element(element)


def _confirm(value: Any) -> None:
    require(isinstance(value, dict) and set(value) <= {"title", "text", "confirm", "deny", "style"}, "a confirm")
    for name, limit in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
        _check_plain(value.get(name), limit, f"a confirm's {name}")
    require(value.get("style", "primary") in ("primary", "danger"), "no such style")


def _element(element: dict[str, Any]) -> None:
    if "confirm" in element:
        _confirm(element["confirm"])
    require(len(element.get("action_id", "x")) in range(1, ID + 1), "action_id is too long or empty")
    match element["type"]:
        case "button":
            _only(element, "action_id", "text", "value", "url", "style", "confirm", "accessibility_label")
            require("action_id" in element, "a button without action_id")
            _check_plain(element.get("text"), BUTTON_TEXT, "a button's text")
            require(len(element.get("value", "")) <= BUTTON_VALUE, "a button's value is too long")
            require(len(element.get("url", "")) <= URL, "a button's url is too long")
            require(element.get("style", "primary") in ("primary", "danger"), "no such style")
        case "static_select":
            _only(element, "action_id", "placeholder", "options", "initial_option", "confirm", "focus_on_load")
            _check_options(element)
        case "image":
            _image(element)


def _check_options(element: dict[str, Any]) -> None:
    options = element.get("options")
    require(isinstance(options, list) and 0 < len(options) <= OPTIONS, "a select has 1 to 100 options")
    for option in options or ():
        _check_plain(option.get("text"), OPTION_TEXT, "an option's text")
        require(0 < len(option.get("value", "")) <= OPTION_VALUE, "an option's value")
    values = [o["value"] for o in options or ()]
    require(len(values) == len(set(values)), "options of the same value")
    if "initial_option" in element:
        require(element["initial_option"] in (options or ()), "initial_option is none of the options")
    if "placeholder" in element:
        _check_plain(element["placeholder"], PLACEHOLDER, "a placeholder")


def _image(block: dict[str, Any]) -> None:
    _only(block, "image_url", "alt_text", "title", "slack_file")
    require(0 < len(block.get("alt_text", "")) <= ALT, "an image needs alt_text")
    require(0 < len(block.get("image_url", "")) <= URL or "slack_file" in block, "an image needs its address")


def _input(block: dict[str, Any]) -> None:
    _only(block, "label", "element", "hint", "optional", "dispatch_action")
    _check_plain(block.get("label"), LABEL, "a label")
    if "hint" in block:
        _check_plain(block["hint"], HINT, "a hint")
    element = block.get("element") or {}
    require(element.get("type") in INPUTS, f"{element.get('type')} is no input")
    require(len(element.get("action_id", "x")) in range(1, ID + 1), "action_id is too long or empty")
    if element["type"] == "static_select":
        _check_options(element)
    if element["type"] == "plain_text_input":
        names = ("action_id", "initial_value", "max_length", "min_length", "multiline", "placeholder", "focus_on_load")
        _only(element, *names)
        require(0 < element.get("max_length", 1) <= 3000, "max_length is 1 to 3000")
        require(len(element.get("initial_value", "")) <= element.get("max_length", 3000), "initial_value is too long")
        if "placeholder" in element:
            _check_plain(element["placeholder"], PLACEHOLDER, "a placeholder")


def _rich_text(block: dict[str, Any]) -> None:
    _only(block, "elements")
    require(isinstance(block.get("elements"), list) and block["elements"], "an empty rich_text")
    for element in block["elements"]:
        require(element.get("type") in RICH, f"{element.get('type')} in rich_text")
        for part in element.get("elements", ()):
            require(part.get("type") != "text" or part.get("text"), "an empty text in rich_text")


def _markdown(block: dict[str, Any]) -> None:
    _only(block, "text")
    require("block_id" not in block, "a markdown block keeps no block_id")
    require(isinstance(block.get("text"), str) and block["text"], "an empty markdown block")


_CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "divider": lambda block: _only(block),
    "image": _image,
    "input": _input,
    "rich_text": _rich_text,
    "markdown": _markdown,
}


def texts(value: Any) -> Iterator[str]:
    """Yield every text that a part of a message shows, in order."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name in ("text", "alt_text") and isinstance(part, str):
                yield part
            else:
                yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)
