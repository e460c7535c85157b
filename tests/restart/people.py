"""The people of a drill: one who asks over REST and one who approves by the mail's link."""

from __future__ import annotations

import re
import secrets
import threading
from typing import Any

import httpx

from tests.restart.processes import APPROVER, BotProcess, until
from tests.restart.relay import Relay

FINAL = ("succeeded", "failed", "stopped", "rejected", "expired", "cancelled")


class Requester:
    """Ana, who asks for one account in a conversation of its own and remembers what she was told."""

    def __init__(self, bot: BotProcess, name: str) -> None:
        self.bot = bot
        self.account = f"{name}-{secrets.token_hex(3)}"
        self.email = f"{self.account}@corp.example"
        self.request = ""
        self._conversation = ""

    def says(self, text: str) -> dict[str, Any]:
        """Say something and return the answer."""
        body: dict[str, Any] = {"user": {"email": "ana@corp.example", "name": "Ana"}, "text": text}
        if self._conversation:
            body["conversation"] = self._conversation
        answer = self.bot.client.post("/v1/messages", json=body)
        assert answer.status_code == 200, answer.text
        heard: dict[str, Any] = answer.json()
        self._conversation = heard["conversation"]
        if heard["request"]:
            self.request = heard["request"]["id"]
        return heard

    def asks(self) -> None:
        """Bring the form to the plan, which waits for a yes."""
        heard = self.says(f"I need a sandbox account in Demos for {self.email}")
        texts = " ".join(message["text"] for message in heard["messages"])
        assert "Shall I go ahead?" in texts, texts

    def orders(self) -> None:
        """Ask and confirm; afterwards `request` is the id."""
        self.asks()
        self.says("yes")
        assert self.request

    def says_in_the_background(self, text: str) -> threading.Thread:
        """Say something whose answer never comes, because the bot is killed meanwhile."""

        def post() -> None:
            try:
                self.says(text)
            except (httpx.HTTPError, AssertionError):
                return  # that is what a kill or a stop looks like from here

        thread = threading.Thread(target=post, daemon=True)
        thread.start()
        return thread

    def heard(self) -> list[str]:
        """Return everything that the bot said in the conversation, in order."""
        path = f"/v1/conversations/{self._conversation}/messages"
        answer = self.bot.client.get(path, headers={"Accept": "application/json"})
        assert answer.status_code == 200, answer.text
        return [message["text"] for message in answer.json()["messages"] if message.get("role", "bot") == "bot"]

    def find_request(self) -> str:
        """Return the id of the request that was placed, once it was; for a yes whose answer was lost."""
        placed = [m[1] for text in self.heard() if (m := re.search(r"Request (QM-\w+) is placed", text, re.I))]
        assert len(placed) <= 1, placed
        self.request = placed[0] if placed else ""
        return self.request

    def view(self) -> dict[str, Any]:
        """Return the request as REST shows it."""
        answer = self.bot.client.get(f"/v1/requests/{self.request}")
        assert answer.status_code == 200, answer.text
        view: dict[str, Any] = answer.json()
        return view

    def state(self) -> str:
        """Return the request's state."""
        return str(self.view()["state"])

    def waits_until(self, *states: str, seconds: float = 30.0) -> str:
        """Wait until the request is in one of these states."""

        def reached() -> str:
            state = self.state()
            if state in states:
                return state
            assert state not in FINAL, self.view()["outcome"]
            return ""

        return until(reached, f"{self.request} is {' or '.join(states)}", seconds)


class Approver:
    """Decides by the links in the mails that the relay got."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def token(self, request: str, seconds: float = 30.0) -> str:
        """Wait for a mail about the request and return its token."""

        def newest() -> str:
            mine = [letter for letter in self._relay.about(request) if letter.to == APPROVER]
            return mine[-1].token if mine else ""

        return until(newest, f"an approval mail about {request}", seconds)

    def approves(self, bot: BotProcess, request: str) -> int:
        """Approve by the newest mail's link; return the HTTP status."""
        token = self.token(request)
        return bot.client.post(f"/account/confirm/{token}", data={"decision": "approve"}).status_code


NOTICES = ("was approved by", "is ordered", "is ready:")


def assert_told_once(requester: Requester) -> None:
    """Assert that the requester heard each turn of fate exactly once, and in the order of fate."""
    texts = [text for text in requester.heard() if requester.request in text]
    counts = {words: sum(words in text for text in texts) for words in ("is placed", *NOTICES)}
    assert counts == dict.fromkeys(counts, 1), texts
    order = [next(n for n, text in enumerate(texts) if words in text) for words in NOTICES]
    assert order == sorted(order), texts
    # A yes that is said again is answered again.
    notices = [text for text in texts if not text.startswith("There is no question open.")]
    assert len(notices) == len(set(notices)), texts
