"""Behind the inbox: Bolt dispatches what was stored; out comes a whole activity, or the end of the matter."""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult

from adapters.slack.arrived import Arrived
from adapters.slack.deciding import Deciding
from adapters.slack.envelope import ASK, ASK_ABOUT, CHANNEL, LOCAL, conversation_of
from adapters.slack.forms import Forms
from adapters.slack.home import Home
from adapters.slack.homes import Homes
from adapters.slack.persons import Found, Persons
from adapters.slack.places import Places
from adapters.slack.streaming import Streams
from adapters.slack.web import Web
from adapters.slack.workspaces import Workspace, Workspaces
from bot.activity import Activity
from bot.address_proof import AddressProof
from bot.dialogue.ended import nothing, say
from bot.dialogue.exchange import Decided
from bot.errors import QuartermasterError
from bot.services import Services

log = structlog.get_logger(__name__)

HELP_ONLY = (
    "I am Quartermaster. I take orders for AWS accounts and other things from members of the organisation that I work "
    "for, and I have to leave it at this for guests and for people from elsewhere. Ask somebody who works there."
)
STATUS = "is looking into it…"
_USER = re.compile(r"<@([UW][A-Z0-9]{2,30})(?:\|[^>]*)?>")
MENTIONS = 5
OUTCOME, ARRIVAL, WORKSPACE = "qm_outcome", "qm_arrival", "qm_workspace"

Local = Callable[[Arrived], Awaitable[Decided]]


@dataclass
class _Outcome:
    """What a listener of Bolt's leaves behind."""

    found: Activity | Decided | None = None
    failure: Exception | None = None


class Dispatching:
    """Makes whole activities of arrivals; the inbox calls `complete`, see Inbox.complete_by."""

    def __init__(
        self,
        services: Services,
        web: Web,
        workspaces: Workspaces,
        persons: Persons,
        places: Places,
        streams: Streams,
        *,
        forms: Forms,
        deciding: Deciding,
        home: Home,
        homes: Homes,
    ) -> None:
        self._services, self._web, self._workspaces, self._persons = services, web, workspaces, persons
        self._places, self._streams = places, streams
        self._proof = AddressProof(services, CHANNEL, "Slack")
        self._moved: deque[str] = deque(maxlen=100)
        self._home, self._homes = home, homes
        self._bolt: AsyncApp | None = None
        self._local: dict[str, Local] = {
            LOCAL + "form": forms.open,
            LOCAL + "approve": deciding.open,
            LOCAL + "reject": deciding.open,
            LOCAL + "approve_now": deciding.decide,
            LOCAL + "reject_now": deciding.decide,
            LOCAL + "start": home.start,
            LOCAL + "about": home.about,
            LOCAL + "home": homes.publish,
        }

    async def complete(self, activity: Activity) -> Activity | Decided:
        """Return the whole activity, or what was decided without the dialogue. Raises Unavailable: not yet."""
        outcome = _Outcome()
        payload = _with_texts(activity)
        context = {OUTCOME: outcome, ARRIVAL: activity}
        request = AsyncBoltRequest(body=payload, context=context, mode="socket_mode")
        await self._app().async_dispatch(request)
        if outcome.failure is not None:
            raise outcome.failure
        return outcome.found if outcome.found is not None else nothing()

    def _app(self) -> AsyncApp:
        """Return Bolt with our listeners; built at first use, since its client belongs to the event loop."""
        if self._bolt is None:
            app = AsyncApp(
                name="quartermaster",  # or it looks for its caller's file through the whole stack, for half a second
                logger=_quiet_logger(),
                client=self._web.client(),
                authorize=_authorize_by(self._workspaces),
                request_verification_enabled=False,  # done on the raw bytes before anything was stored
                ssl_check_enabled=False,
                url_verification_enabled=False,
                process_before_response=True,  # returns when the listener has
                raise_error_for_unhandled_request=False,
            )
            for event in ("message", "app_mention"):
                app.event(event)(self._on_words)
            app.event("app_home_opened")(self._on_home)
            for event in ("app_uninstalled", "tokens_revoked"):
                app.event(event)(self._on_gone)
            app.command(re.compile(".*"))(self._on_words)
            app.message_shortcut(ASK_ABOUT)(self._on_press)  # one's own message is asked as it is
            app.global_shortcut(ASK)(self._on_press)
            app.action(re.compile(".*"))(self._on_press)
            app.view(re.compile(".*"))(self._on_press)
            app.error(self._on_error)
            self._bolt = app
        return self._bolt

    async def _on_error(self, error: Exception, context: Any) -> None:
        context[OUTCOME].failure = error

    async def _on_words(self, ack: Any, context: Any) -> None:
        """Somebody has said something: a message, a command, or a shortcut on a message."""
        await ack()
        context[OUTCOME].found = await self._said(context[ARRIVAL], context[WORKSPACE])

    async def _on_press(self, ack: Any, context: Any) -> None:
        """Somebody has pressed a button, chosen from a select, or submitted a modal."""
        await ack()
        activity: Activity = context[ARRIVAL]
        if activity.kind == "message":
            context[OUTCOME].found = await self._said(activity, context[WORKSPACE])
            return
        arrived = await self._arrived(activity, context[WORKSPACE])
        if not isinstance(arrived, Arrived):
            context[OUTCOME].found = arrived
            return
        local = self._local.get(activity.verb)
        if local is None and activity.verb.startswith(LOCAL):
            context[OUTCOME].found = nothing()
        else:
            context[OUTCOME].found = await local(arrived) if local else arrived.activity

    async def _on_home(self, ack: Any, context: Any) -> None:
        """Somebody has opened the home tab, or the messages tab, which is the agent's."""
        await ack()
        activity: Activity = context[ARRIVAL]
        event = activity.raw["payload"]["event"]
        arrived = await self._arrived(activity, context[WORKSPACE], quiet=True)
        if not isinstance(arrived, Arrived):
            context[OUTCOME].found = arrived
        elif event.get("tab") == "home":
            context[OUTCOME].found = await self._homes.publish(arrived)
        else:
            await self._suggest(arrived, str(event.get("channel") or ""))
            context[OUTCOME].found = nothing()

    async def _suggest(self, arrived: Arrived, channel: str) -> None:
        prompts = self._home.prompts(arrived.person)
        if not channel or not prompts:
            return
        try:
            await self._web.call(
                arrived.workspace.token,
                "assistant_threads_setSuggestedPrompts",
                channel_id=channel,
                title="What do you need?",
                prompts=prompts,
            )
        except QuartermasterError as error:
            log.info("slack.no_prompts", error=error.detail)  # an app without the agent view

    async def _on_gone(self, ack: Any, context: Any) -> None:
        """The app was uninstalled, or the bot's own token was revoked."""
        await ack()
        activity: Activity = context[ARRIVAL]
        event = activity.raw["payload"]["event"]
        revoked = (event.get("tokens") or {}).get("bot")
        if event["type"] == "app_uninstalled" or revoked:
            await self._workspaces.forget(activity.address["team"], activity.address["enterprise"])
        context[OUTCOME].found = nothing()

    async def _said(self, activity: Activity, workspace: Workspace) -> Activity | Decided:
        arrived = await self._arrived(activity, workspace)
        if not isinstance(arrived, Arrived):
            return arrived
        await self._show_status(arrived)
        self._streams.watch(arrived)
        text = await self._with_addresses(arrived)
        return replace(arrived.activity, text=text)

    async def _arrived(self, activity: Activity, workspace: Workspace, *, quiet: bool = False) -> Arrived | Decided:
        """Return the arrival with its person, or how it ends for those who are none of ours."""
        address = activity.address
        home = str(address["home"])
        if home == address["team"] and not workspace.enterprise_id:
            home = workspace.team_id
        found: Found = await self._persons.find(workspace, str(address["user"]), home)
        payload: Mapping[str, Any] = activity.raw["payload"]
        bare = replace(activity, raw={}, address={**address, "team": address["team"] or workspace.team_id})
        if found.standing == "nobody" or (found.person is None and quiet):
            return nothing()
        if found.standing == "outsider":
            return nothing() if activity.is_overheard else say(self._services, bare, HELP_ONLY)
        if found.person is None:
            return await self._proof.hear(_in_person(bare), activity.platform_id)
        if await self._is_read_by_others(address, workspace):
            await self._move_away(bare, workspace)
            bare = _in_person(bare)
        whole = replace(bare, person=found.person)
        return Arrived(whole, workspace, found.person, payload)

    async def _is_read_by_others(self, address: Mapping[str, Any], workspace: Workspace) -> bool:
        """Tell whether people of other organisations would read the answer: events say so, the rest does not."""
        if "is_shared" in address or not address["channel"]:
            return bool(address.get("is_shared"))
        return await self._places.is_shared(workspace.token, str(address["team"]), str(address["channel"]))

    async def _move_away(self, activity: Activity, workspace: Workspace) -> None:
        """Tell somebody who asks where other organisations read that they are answered elsewhere."""
        if activity.key in self._moved:
            return  # the turn is played again
        self._moved.append(activity.key)
        text = "People from other organisations read this channel, so I answer you in our own conversation."
        address = activity.address
        try:
            await self._web.call(
                workspace.token,
                "chat_postEphemeral",
                channel=address["channel"],
                user=address["user"],
                thread_ts=address["thread"],
                text=text,
            )
        except QuartermasterError as error:
            log.info("slack.not_told", error=error.detail)

    async def _show_status(self, arrived: Arrived) -> None:
        """Show in a conversation of its own that something is being done; the answer takes it away again."""
        address = arrived.activity.address
        asked = str(address.get("asked") or "")
        if not asked or not address.get("dm"):
            return
        try:
            await self._web.call(
                arrived.workspace.token,
                "assistant_threads_setStatus",
                channel_id=address["dm"],
                thread_ts=address["thread"] or asked,
                status=STATUS,
            )
        except QuartermasterError as error:
            log.info("slack.no_status", error=error.detail)

    async def _with_addresses(self, arrived: Arrived) -> str:
        """Return what was said with the addresses of those who were mentioned: that is how people are known."""
        text = arrived.activity.text
        for user in list(dict.fromkeys(_USER.findall(text)))[:MENTIONS]:
            found = await self._persons.find(arrived.workspace, user, "")
            if user == arrived.workspace.bot_user_id or found.person is None:
                continue
            text = re.sub(rf"<@{user}(?:\|[^>]*)?>", found.person.email, text)
        return _USER.sub(lambda m: f"@{m[1]}", text).strip()


def _authorize_by(workspaces: Workspaces) -> Callable[..., Awaitable[Any]]:
    """Return what Bolt asks for a workspace's token; None where nobody is served."""

    async def authorize(
        enterprise_id: str | None,
        team_id: str | None,
        context: Any,
        is_enterprise_install: bool | None = None,
    ) -> AuthorizeResult | None:
        workspace = await workspaces.find(team_id or "", enterprise_id or "", bool(is_enterprise_install))
        if workspace is None:
            return None
        context[WORKSPACE] = workspace
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_token=workspace.token,
            bot_id=workspace.bot_id or None,
            bot_user_id=workspace.bot_user_id or None,
        )

    return authorize


def _with_texts(activity: Activity) -> dict[str, Any]:
    """Return the stored payload with its texts, as Bolt's listeners expect them."""
    payload: dict[str, Any] = dict(activity.raw["payload"])
    match activity.raw["kind"]:
        case "events":
            payload["event"] = {**payload["event"], "text": activity.text}
        case "slash_commands":
            payload["text"] = activity.text
    return payload


def _in_person(activity: Activity) -> Activity:
    """Return the activity as one of the person's own conversation."""
    address = activity.address
    return replace(
        activity,
        conversation=conversation_of(address),
        address={**address, "channel": "", "thread": ""},
    )


def _quiet_logger() -> logging.Logger:
    """Return Bolt's logger: its warnings about requests that nobody handles are nothing to act on."""
    logger = logging.getLogger("slack_bolt.quartermaster")
    logger.setLevel(logging.CRITICAL)
    return logger
