"""A Card goes out: what people see, in terms that every channel can show.

Texts are plain: no channel's markup is ever written here, so nothing needs to be un-escaped. What a
person typed goes into `Quote` or into a value of `Facts`; each channel escapes everything on its own.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

ButtonStyle = Literal["default", "positive", "destructive"]
Tone = Literal["neutral", "good", "warning", "bad"]
StepMark = Literal["done", "running", "waiting", "failed"]


@dataclass(frozen=True)
class Text:
    """A paragraph in the bot's own words; `subtle` asks for small print."""

    text: str
    subtle: bool = False
    kind: Literal["text"] = "text"


@dataclass(frozen=True)
class Quote:
    """Words that a person typed, shown as theirs."""

    text: str
    by: str
    kind: Literal["quote"] = "quote"


@dataclass(frozen=True)
class Facts:
    """Name and value pairs, in order."""

    rows: tuple[tuple[str, str], ...]
    kind: Literal["facts"] = "facts"


@dataclass(frozen=True)
class Table:
    """A small table; every row has as many cells as `head`."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    kind: Literal["table"] = "table"


@dataclass(frozen=True)
class Checks:
    """What was checked, each with a mark and a sentence: (mark, name, sentence)."""

    rows: tuple[tuple[StepMark, str, str], ...]
    kind: Literal["checks"] = "checks"


@dataclass(frozen=True)
class Image:
    """A picture with its words; `url` is absolute."""

    url: str
    alt: str
    kind: Literal["image"] = "image"


@dataclass(frozen=True)
class Link:
    """A link that leads out of the channel."""

    title: str
    url: str
    kind: Literal["link"] = "link"


Item = Text | Quote | Facts | Table | Checks | Image | Link


@dataclass(frozen=True)
class Button:
    """Something to press: comes back as an Activity of kind "press" with this verb and value."""

    title: str
    verb: str
    value: str
    style: ButtonStyle = "default"


@dataclass(frozen=True)
class Card:
    """One message's worth of content; `request` ties all copies of a request's card together."""

    title: str
    items: tuple[Item, ...] = ()
    buttons: tuple[Button, ...] = ()
    tone: Tone = "neutral"
    footer: str = ""
    request: str = ""
    asked: str = ""
    """The question that it answers, in words that ask it again: what a follow-up goes on from."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types; `from_dict` is the inverse."""
        return asdict(self)

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Card:
        """Rebuild a card from `as_dict`'s output."""
        return Card(
            title=data["title"],
            items=tuple(_item(i) for i in data["items"]),
            buttons=tuple(Button(**b) for b in data["buttons"]),
            tone=data["tone"],
            footer=data["footer"],
            request=data["request"],
            asked=data.get("asked", ""),
        )

    def as_text(self) -> str:
        """Return the card in plain text, for channels that show no cards and for the terminal."""
        lines = [self.title]
        for item in self.items:
            lines.extend(_item_lines(item))
        if self.buttons:
            lines.append("You can say: " + ", ".join(b.title for b in self.buttons))
        if self.footer:
            lines.append(self.footer)
        return "\n".join(lines)


_MARKS: dict[StepMark, str] = {"done": "✓", "running": "…", "waiting": "·", "failed": "✗"}


def _item_lines(item: Item) -> list[str]:
    match item:
        case Text(text=text):
            return [text]
        case Quote(text=text, by=by):
            return [f"{by} wrote: “{text}”"]
        case Facts(rows=rows):
            width = max((len(name) for name, _ in rows), default=0)
            return [f"  {name + ':':<{width + 1}} {value}" for name, value in rows]
        case Table(head=head, rows=rows):
            table = [head, *rows]
            widths = [max(len(row[i]) for row in table) for i in range(len(head))]
            return ["  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in table]
        case Checks(rows=rows):
            return [f"  {_MARKS[mark]} {name}: {sentence}" for mark, name, sentence in rows]
        case Image(url=url, alt=alt):
            return [alt if url.startswith("data:") else f"{alt}: {url}"]
        case Link(title=title, url=url):
            return [f"{title}: {url}"]


def _item(data: dict[str, Any]) -> Item:
    kinds = {"text": Text, "quote": Quote, "image": Image, "link": Link}
    match data["kind"]:
        case "facts":
            return Facts(tuple((r[0], r[1]) for r in data["rows"]))
        case "table":
            return Table(tuple(data["head"]), tuple(tuple(r) for r in data["rows"]))
        case "checks":
            return Checks(tuple((r[0], r[1], r[2]) for r in data["rows"]))
        case kind:
            built: Item = kinds[kind](**data)
            return built
