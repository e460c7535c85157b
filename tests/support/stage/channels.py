"""The channels that stories run over: each says a text, presses a button, and listens, over real HTTP."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from adapters.slack.words import escape
from bot.card import Card
from tests.support.slack.talking import Member, buttons_of, words_of
from tests.support.stage.markup import Form, read_chat, read_token
from tests.support.stage.slack import SlackSide
from tests.support.stage.teams import TeamsSide
from tests.support.teams.cards import presses_of
from tests.support.teams.cards import words_of as words_in_teams
from tests.support.teams.talking import Member as TeamsMember

NAMES = ("rest", "account", "console", "slack", "teams")


@dataclass(frozen=True)
class Heard:
    """One message of the bot's; `buttons` are by title what pressing them takes. A `seq` comes again when updated."""

    seq: int
    text: str
    buttons: dict[str, Any] = field(default_factory=dict)


class Line(Protocol):
    """One person's conversation on one channel."""

    async def say(self, text: str) -> None:
        """Say something; returns when the bot has answered."""
        ...

    async def press(self, button: Any) -> None:
        """Press one of the buttons heard."""
        ...

    async def listen(self) -> list[Heard]:
        """Return what the bot has said since the last call."""
        ...

    async def follow(self, words: str) -> bool:
        """Go on in the thread that the bot began with a message of these words; False while there is none."""
        ...


class RestLine:
    """POST /v1/messages, and GET …/messages for what comes later."""

    def __init__(self, client: httpx.AsyncClient, email: str, name: str) -> None:
        self._client = client
        self._user = {"email": email, "name": name}
        self.conversation = ""
        self._heard = 0

    async def say(self, text: str) -> None:
        await self._post({"text": text})

    async def press(self, button: Any) -> None:
        await self._post({"press": button})

    async def _post(self, turn: dict[str, Any]) -> None:
        known = {"conversation": self.conversation} if self.conversation else {}
        answer = await self._client.post("/v1/messages", json={"user": self._user, **known, **turn})
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        said = answer.json()
        self.conversation = said["conversation"]
        assert said["messages"], "the bot answered nothing"

    async def follow(self, words: str) -> bool:
        return True  # there are no threads

    async def listen(self) -> list[Heard]:
        if not self.conversation:
            return []
        path = f"/v1/conversations/{self.conversation}/messages"
        answer = await self._client.get(path, params={"after": self._heard})
        assert answer.status_code == 200, answer.text
        heard = [_heard(message) for message in answer.json()["messages"]]
        self._heard = heard[-1].seq if heard else self._heard
        return heard


def _heard(message: dict[str, Any]) -> Heard:
    text, buttons = message["text"], {}
    if message["card"]:
        card = Card.from_dict(message["card"])
        if card.as_text() not in text:
            text += "\n" + card.as_text()
        buttons = {b.title: {"verb": b.verb, "value": b.value} for b in card.buttons}
    return Heard(message["seq"], text, buttons)


class AccountLine(RestLine):
    """POST /account as callers of the original bot do: no buttons, so what they say is typed."""

    def __init__(self, client: httpx.AsyncClient, email: str, name: str) -> None:
        super().__init__(client, email, name)
        first, _, last = name.partition(" ")
        self._names = {"UserEmail": email, "UserName": first, "UserLastname": last}

    async def say(self, text: str) -> None:
        answer = await self._client.post("/account", json={**self._names, "UserInput": text})
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        said = answer.json()
        assert said["response"], "the bot answered nothing"
        self.conversation = said["conversation"]

    async def listen(self) -> list[Heard]:
        typed = {title: title for title in ("Yes, go ahead", "No")}
        heard = []
        for message in await super().listen():
            values = {title: press["value"].partition("=")[2] for title, press in message.buttons.items()}
            words = {t: values[t] or typed.get(t, t) for t in message.buttons}
            heard.append(Heard(message.seq, message.text, words))
        return heard

    async def press(self, button: Any) -> None:
        await self.say(button)


class ConsoleLine:
    """The chat page as a browser without scripts uses it: cookies, form tokens, posts and redirects."""

    def __init__(self, client: httpx.AsyncClient, email: str) -> None:
        self._client, self._email = client, email
        self._heard = 0
        self._token = ""

    async def _page(self) -> str:
        answer = await self._client.get("/")
        assert answer.status_code == 200, answer.text
        if not self._token:
            become = {"csrf": read_token(answer.text), "email": self._email, "next": "/"}
            await self._post("/signin/dev", become)
            answer = await self._client.get("/")
        self._token = read_token(answer.text)
        return answer.text

    async def _post(self, path: str, fields: dict[str, str]) -> None:
        answer = await self._client.post(path, data=fields)
        assert answer.status_code == 303, f"{answer.status_code} {answer.text}"

    async def say(self, text: str) -> None:
        if not self._token:
            await self._page()
        await self._post("/chat", {"csrf": self._token, "key": str(uuid.uuid4()), "text": text})

    async def press(self, button: Form) -> None:
        await self._post(button.action, button.fields)

    async def visit(self, path: str) -> httpx.Response:
        """Open any page as the person signed in."""
        return await self._client.get(path)

    async def submit(self, path: str, **fields: str) -> httpx.Response:
        """Post a form of a page, and return the answer itself."""
        return await self._client.post(path, data={"csrf": self._token, **fields})

    async def follow(self, words: str) -> bool:
        return True  # there are no threads

    async def listen(self) -> list[Heard]:
        new = [said for said in read_chat(await self._page()) if said.seq > self._heard]
        self._heard = new[-1].seq if new else self._heard
        return [Heard(s.seq, s.text, {form.title: form for form in s.forms}) for s in new if s.by_bot]


class SlackLine:
    """A thread in a channel of Slack: begun with a mention, gone on with plain replies, its cards updated in place."""

    def __init__(self, slack: SlackSide, client: httpx.AsyncClient, email: str, name: str) -> None:
        workspace = slack.workspace
        self._slack = slack
        self._member = Member(slack.standin, workspace, client, workspace.user(email, name))
        self._channel = workspace.channel()
        self._thread = ""
        self._numbers: dict[str, int] = {}
        self._versions: dict[str, int] = {}

    async def say(self, text: str) -> None:
        text = escape(text)  # as Slack does
        if self._thread:
            await self._member.posts(text, self._channel, self._thread)
        else:
            mention = f"<@{self._slack.workspace.bot_user}> {text}"
            self._thread = (await self._member.posts(mention, self._channel)).ts
        await self._slack.settles()

    async def press(self, button: Any) -> None:
        answer = await self._member.presses(button)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        await self._slack.settles()

    async def follow(self, words: str) -> bool:
        """Go on in another thread of the channel."""
        begun = self._slack.workspace.shown_in(self._channel)
        found = [m for m in begun if not m.thread_ts and words in "\n".join(words_of(m.blocks, m.text))]
        self._thread = found[-1].ts if found else self._thread
        return bool(found)

    async def listen(self) -> list[Heard]:
        """Return the messages that are new in the thread, and whole those that were updated, by their old numbers."""
        heard = []
        assert not self._slack.workspace.faults, self._slack.workspace.faults
        for message in self._slack.workspace.shown_in(self._channel, self._thread) if self._thread else ():
            if message.user != self._slack.workspace.bot_user or self._versions.get(message.ts) == message.versions:
                continue
            self._versions[message.ts] = message.versions
            seq = self._numbers.setdefault(message.ts, len(self._numbers) + 1)
            heard.append(Heard(seq, "\n".join(words_of(message.blocks, message.text)), dict(buttons_of(message))))
        return heard


class TeamsLine:
    """A thread in a channel of Teams: every message mentions the bot, as Teams tells it of no others."""

    def __init__(self, teams: TeamsSide, client: httpx.AsyncClient, email: str, name: str) -> None:
        self._teams = teams
        self._member = TeamsMember(teams.framework, teams.tenant, client, teams.tenant.member(email, name))
        number = teams.framework.number()
        self._thread = f"19:{number}@thread.tacv2;messageid={number}"
        self._numbers: dict[str, int] = {}
        self._versions: dict[str, int] = {}

    async def say(self, text: str) -> None:
        await self._send(self._member.mention(text, self._thread))

    async def press(self, button: Any) -> None:
        await self._send(self._member.press(button, self._thread, "channel"))

    async def _send(self, activity: Any) -> None:
        answer = await self._member.sends(activity)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        await self._teams.settles()

    async def follow(self, words: str) -> bool:
        """Go on in another thread of the channel."""
        channel = self._thread.partition(";")[0]
        found = [s for s in self._teams.tenant.sent if s.conversation.startswith(channel)]
        threads = [s.conversation for s in found if words in words_in_teams(s.activity)]
        self._thread = threads[-1] if threads else self._thread
        if threads:
            await self._teams.settles()  # nobody replies before the bot has noted what it has posted
        return bool(threads)

    async def listen(self) -> list[Heard]:
        """Return the messages that are new in the thread, and whole those that were updated, by their old numbers."""
        assert not self._teams.tenant.faults, self._teams.tenant.faults
        heard = []
        for sent in self._teams.tenant.shown_in(self._thread):
            if self._versions.get(sent.id) == sent.versions:
                continue
            self._versions[sent.id] = sent.versions
            seq = self._numbers.setdefault(sent.id, len(self._numbers) + 1)
            heard.append(Heard(seq, words_in_teams(sent.activity), dict(presses_of(sent.activity))))
        return heard


def open_line(
    channel: str,
    client: httpx.AsyncClient,
    email: str,
    name: str,
    slack: SlackSide | None = None,
    teams: TeamsSide | None = None,
) -> Line:
    """Return a person's line on a channel; the client is theirs alone, since it keeps cookies."""
    match channel:
        case "slack":
            assert slack is not None, "this stage has no Slack: parametrise somebody with slack"
            return SlackLine(slack, client, email, name)
        case "teams":
            assert teams is not None, "this stage has no Teams: parametrise somebody with teams"
            return TeamsLine(teams, client, email, name)
        case "rest":
            return RestLine(client, email, name)
        case "account":
            return AccountLine(client, email, name)
        case "console":
            return ConsoleLine(client, email)
    raise ValueError(f"no channel is called {channel}")
