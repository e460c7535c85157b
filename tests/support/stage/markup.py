"""Pages as a person sees them: the messages of a chat with their buttons, and the words of any page."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_SILENT = {"script", "style", "head", "template"}


@dataclass
class Form:
    """One form: what it would post, and the words on its button."""

    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    title: str = ""


@dataclass
class Said:
    """One message of the chat page."""

    seq: int
    by_bot: bool
    words: list[str] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[Said] = []
        self.words: list[str] = []
        self.tokens: list[str] = []
        self._path: list[str] = []
        self._message_depth = 0
        self._form: Form | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag not in _VOID:
            self._path.append(tag)
        if tag == "li" and "data-seq" in given:
            self._message_depth = len(self._path)
            self.said.append(Said(int(given["data-seq"]), "theirs" in given.get("class", "").split()))
        elif tag == "a" and given.get("href", "").startswith("http"):
            self.handle_data(given["href"])
        elif tag == "form":
            self._form = Form(given.get("action", ""))
            if self._message_depth:
                self.said[-1].forms.append(self._form)
        elif tag == "input" and given.get("name"):
            if given["name"] == "csrf":
                self.tokens.append(given["value"])
            if self._form is not None:
                self._form.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._path:
            return
        while self._path.pop() != tag:
            pass
        if tag == "form":
            self._form = None
        if len(self._path) < self._message_depth:
            self._message_depth = 0

    def handle_data(self, data: str) -> None:
        if _SILENT.intersection(self._path) or not data.strip():
            return
        self.words.append(data)
        if self._message_depth:
            self.said[-1].words.append(data)
            if self._form is not None and "button" in self._path:
                self._form.title = " ".join((self._form.title + " " + data).split())


def read_chat(html: str) -> list[Said]:
    """Return the messages on a chat page, in order."""
    reader = _Reader()
    reader.feed(html)
    return reader.said


def read_words(html: str) -> str:
    """Return the words that a page shows, blanks made one."""
    reader = _Reader()
    reader.feed(html)
    return " ".join(" ".join(reader.words).split())


def read_token(html: str) -> str:
    """Return the form token of a console page."""
    reader = _Reader()
    reader.feed(html)
    assert reader.tokens, f"no form on this page: {read_words(html)[:300]}"
    return reader.tokens[0]
