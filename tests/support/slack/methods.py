"""The methods of the Web API that the stand-in knows, each with its arguments and what it refuses."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from tests.support.slack.blockkit import check_message, check_view, require
from tests.support.slack.standin import TRIGGER_LIFE, Answer, Message, Refusal, StandIn, Workspace

Method = Callable[[StandIn, Workspace, dict[str, Any]], Answer]
METHODS: dict[str, Method] = {}


def method(name: str, needed: str = "", optional: str = "") -> Callable[[Method], Method]:
    """Register a method; an argument that it does not have, or lacks, is a fault."""

    def register(function: Method) -> Method:
        def checked(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
            foreign = set(given) - set(needed.split()) - set(optional.split())
            require(not foreign, f"{name} has no {', '.join(sorted(foreign))}")
            lacking = [n for n in needed.split() if not given.get(n)]
            require(not lacking, f"{name} lacks {', '.join(lacking)}")
            return function(standin, workspace, given)

        METHODS[name] = checked
        return checked

    return register


def _channel(workspace: Workspace, name: str) -> dict[str, Any]:
    if name.startswith("U") and name in workspace.users:
        name = workspace.direct(name)
    found = workspace.channels.get(name)
    if found is None:
        raise Refusal("channel_not_found")
    return found


def _written(workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    """Check what a message holds, and return its channel."""
    require(given.get("text") or given.get("blocks"), "no_text")
    check_message(given.get("blocks") or [], given.get("text", ""))
    channel = _channel(workspace, given["channel"])
    if channel.get("is_archived"):
        raise Refusal("is_archived")
    if not channel.get("is_member"):
        raise Refusal("not_in_channel")
    return channel


@method("auth.test")
def _auth_test(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    return {
        "url": standin.url,
        "team": "Corp",
        "user": "quartermaster",
        "team_id": workspace.team,
        "user_id": workspace.bot_user,
        "bot_id": workspace.bot,
        "is_enterprise_install": False,
    }


@method("auth.revoke", "", "test")
def _auth_revoke(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    standin.workspaces.pop(workspace.token, None)
    return {"revoked": True}


@method(
    "chat.postMessage",
    "channel",
    "text blocks thread_ts metadata unfurl_links unfurl_media mrkdwn reply_broadcast",
)
def _post(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    channel = _written(workspace, given)
    metadata = given.get("metadata") or {}
    require(set(metadata) <= {"event_type", "event_payload"}, "metadata has a type and a payload")
    if given.get("thread_ts"):
        _known_thread(workspace, channel["id"], given["thread_ts"])
    message = Message(
        standin.stamp(),
        channel["id"],
        workspace.bot_user,
        given.get("text", ""),
        given.get("blocks") or [],
        thread_ts=given.get("thread_ts", ""),
        metadata=metadata,
    )
    workspace.messages.append(message)
    return {"channel": message.channel, "ts": message.ts, "message": {"ts": message.ts, "text": message.text}}


def _known_thread(workspace: Workspace, channel: str, ts: str) -> None:
    if not any(m.ts == ts and m.channel == channel for m in workspace.messages):
        raise Refusal("thread_not_found", f"there is no message {ts} in {channel}")


@method("chat.postEphemeral", "channel user", "text blocks thread_ts")
def _post_ephemeral(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    channel = _written(workspace, given)
    message = Message(
        standin.stamp(), channel["id"], workspace.bot_user, given.get("text", ""), given.get("blocks") or []
    )
    message.ephemeral_to, message.thread_ts = given["user"], given.get("thread_ts", "")
    workspace.messages.append(message)
    return {"message_ts": message.ts}


@method("chat.update", "channel ts", "text blocks metadata")
def _update(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    channel = _written(workspace, given)
    found = next((m for m in workspace.messages if m.ts == given["ts"] and m.channel == channel["id"]), None)
    if found is None or found.ephemeral_to:
        raise Refusal("message_not_found")
    if found.user != workspace.bot_user:
        raise Refusal("cant_update_message", "only messages of one's own can be updated")
    if found.is_streaming:
        raise Refusal("streaming_state_conflict", "a stream is stopped before it is updated")
    found.text, found.blocks = given.get("text", ""), given.get("blocks") or []
    found.metadata = given.get("metadata") or found.metadata
    found.versions += 1
    return {"channel": found.channel, "ts": found.ts, "text": found.text}


@method("chat.startStream", "channel thread_ts", "markdown_text recipient_user_id recipient_team_id chunks")
def _start_stream(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    channel = _channel(workspace, given["channel"])
    _known_thread(workspace, channel["id"], given["thread_ts"])
    if not channel.get("is_im"):
        require(given.get("recipient_user_id") in workspace.users, "a stream in a channel is for a user")
        require(given.get("recipient_team_id"), "a stream in a channel is for a user of a team")
    message = Message(standin.stamp(), channel["id"], workspace.bot_user, given.get("markdown_text", ""), [])
    message.thread_ts, message.is_streaming = given["thread_ts"], True
    workspace.messages.append(message)
    return {"channel": message.channel, "ts": message.ts}


def _streaming(workspace: Workspace, given: dict[str, Any]) -> Message:
    found = next((m for m in workspace.messages if (m.ts, m.channel) == (given["ts"], given["channel"])), None)
    if found is None:
        raise Refusal("message_not_found")
    if not found.is_streaming:
        raise Refusal("message_not_in_streaming_state")
    return found


@method("chat.appendStream", "channel ts", "markdown_text chunks")
def _append_stream(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    _streaming(workspace, given).text += given["markdown_text"]
    return {"channel": given["channel"], "ts": given["ts"]}


@method("chat.stopStream", "channel ts", "markdown_text chunks blocks metadata")
def _stop_stream(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    _streaming(workspace, given).is_streaming = False
    return {"channel": given["channel"], "ts": given["ts"]}


@method("chat.delete", "channel ts")
def _delete(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    found = next((m for m in workspace.messages if (m.ts, m.channel) == (given["ts"], given["channel"])), None)
    if found is None:
        raise Refusal("message_not_found")
    workspace.messages.remove(found)
    return {"channel": given["channel"], "ts": given["ts"]}


@method("chat.getPermalink", "channel message_ts")
def _permalink(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    _channel(workspace, given["channel"])
    mark = given["message_ts"].replace(".", "")
    return {"permalink": f"https://corp.slack.com/archives/{given['channel']}/p{mark}"}


@method("users.info", "user", "include_locale")
def _users_info(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    if given["user"] not in workspace.users:
        raise Refusal("user_not_found")
    return {"user": workspace.users[given["user"]]}


@method("users.lookupByEmail", "email")
def _lookup(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    found = next((u for u in workspace.users.values() if u["profile"].get("email") == given["email"]), None)
    if found is None:
        raise Refusal("users_not_found")
    return {"user": found}


@method("usergroups.list", "", "include_count include_disabled include_users team_id")
def _user_groups(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    shows_all = str(given.get("include_disabled", "")).lower() in ("true", "1")
    shown = [group for group in workspace.groups.values() if shows_all or not group["date_delete"]]
    return {"usergroups": [{k: v for k, v in group.items() if k != "users"} for group in shown]}


@method("usergroups.users.list", "usergroup", "include_disabled team_id")
def _users_of_group(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    if given["usergroup"] not in workspace.groups:
        raise Refusal("no_such_subteam")
    return {"users": workspace.groups[given["usergroup"]]["users"]}


@method("conversations.open", "users", "return_im")
def _open(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    if given["users"] not in workspace.users:
        raise Refusal("user_not_found")
    return {"channel": {"id": workspace.direct(given["users"])}}


@method("conversations.list", "", "types exclude_archived limit cursor team_id")
def _list(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    shown = [c for c in workspace.channels.values() if not c.get("is_im") and not c.get("is_private")]
    start, limit = int(given.get("cursor") or 0), int(given.get("limit") or 100)
    following = str(start + limit) if start + limit < len(shown) else ""
    return {"channels": shown[start : start + limit], "response_metadata": {"next_cursor": following}}


@method("conversations.info", "channel", "include_locale include_num_members")
def _info(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    return {"channel": _channel(workspace, given["channel"])}


def _listed(workspace: Workspace, messages: list[Message], given: dict[str, Any], newest_first: bool) -> Answer:
    start = int(given.get("cursor") or 0)
    limit = int(given.get("limit") or 100)
    after = [m for m in messages if m.ts > str(given.get("oldest") or "")]
    ordered = sorted(after, key=lambda m: m.ts, reverse=newest_first)
    page = ordered[start : start + limit]
    shows = str(given.get("include_all_metadata", "")).lower() in ("true", "1")
    found = [
        {
            "ts": m.ts,
            "user": m.user,
            "text": m.text,
            **({"thread_ts": m.thread_ts} if m.thread_ts else {}),
            **({"metadata": m.metadata} if shows and m.metadata else {}),
            **({"files": m.files} if m.files else {}),
        }
        for m in page
    ]
    following = str(start + limit) if start + limit < len(ordered) else ""
    return {"messages": found, "has_more": bool(following), "response_metadata": {"next_cursor": following}}


@method("conversations.history", "channel", "cursor limit include_all_metadata oldest latest inclusive")
def _history(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    channel = _channel(workspace, given["channel"])["id"]
    seen = [m for m in workspace.messages if m.channel == channel and not m.thread_ts and not m.ephemeral_to]
    return _listed(workspace, seen, given, newest_first=True)


@method("conversations.replies", "channel ts", "cursor limit include_all_metadata oldest latest inclusive")
def _replies(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    channel = _channel(workspace, given["channel"])["id"]
    _known_thread(workspace, channel, given["ts"])
    seen = [
        m
        for m in workspace.messages
        if m.channel == channel and given["ts"] in (m.ts, m.thread_ts) and not m.ephemeral_to
    ]
    return _listed(workspace, seen, given, newest_first=False)


def _take_trigger(workspace: Workspace, trigger: str) -> None:
    born = workspace.triggers.pop(trigger, None)
    if born is None:
        raise Refusal("exchanged_trigger_id" if trigger else "invalid_trigger_id", "a trigger counts once")
    if time.monotonic() - born > TRIGGER_LIFE:
        raise Refusal("expired_trigger_id")


def _show(workspace: Workspace, view: dict[str, Any], known: str = "") -> dict[str, Any]:
    check_view(view)
    shown = {**view, "id": known or f"V{secrets.token_hex(5).upper()}", "hash": secrets.token_hex(6)}
    return shown


@method("views.open", "trigger_id view")
def _views_open(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    shown = _show(workspace, given["view"])
    _take_trigger(workspace, given["trigger_id"])
    workspace.views[shown["id"]] = shown
    return {"view": shown}


@method("views.update", "view", "view_id external_id hash")
def _views_update(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    known = workspace.views.get(given.get("view_id", ""))
    if known is None:
        raise Refusal("not_found")
    if given.get("hash") and given["hash"] != known["hash"]:
        raise Refusal("hash_conflict")
    shown = _show(workspace, given["view"], known["id"])
    workspace.views[shown["id"]] = shown
    return {"view": shown}


@method("views.publish", "user_id view", "hash")
def _views_publish(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    require(given["view"].get("type") == "home", "only a home tab can be published")
    known = workspace.homes.get(given["user_id"])
    if given.get("hash") and known and given["hash"] != known["hash"]:
        raise Refusal("hash_conflict")
    shown = _show(workspace, given["view"])
    workspace.homes[given["user_id"]] = shown
    return {"view": shown}


@method("assistant.threads.setSuggestedPrompts", "channel_id prompts", "thread_ts title")
def _prompts(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    _channel(workspace, given["channel_id"])
    require(1 <= len(given["prompts"]) <= 4, "one to four prompts")
    require(all(p.get("title") and p.get("message") for p in given["prompts"]), "a prompt has a title and a message")
    workspace.prompts[given["channel_id"]] = given["prompts"]
    return {}


@method("assistant.threads.setStatus", "channel_id thread_ts", "status loading_messages")
def _status(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    _channel(workspace, given["channel_id"])
    workspace.statuses.append(given)
    return {}


@method("files.getUploadURLExternal", "filename length", "alt_txt snippet_type alt_text")
def _upload_url(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    require(int(given["length"]) > 0, "an empty file")
    file = f"F{secrets.token_hex(5).upper()}"
    alt = given.get("alt_txt") or given.get("alt_text") or ""
    workspace.files[file] = {"name": given["filename"], "length": int(given["length"]), "alt": alt}
    return {"upload_url": f"{standin.url}/upload/{workspace.token}/{file}", "file_id": file}


@method("files.completeUploadExternal", "files", "channel_id channels thread_ts initial_comment blocks")
def _complete_upload(standin: StandIn, workspace: Workspace, given: dict[str, Any]) -> Answer:
    listed = given["files"]
    for one in listed:
        file = workspace.files.get(one["id"])
        require(file is not None and "content" in file, "a file that was never uploaded")
        if file is not None:
            file.update(
                title=one.get("title", ""), channel=given.get("channel_id", ""), thread=given.get("thread_ts", "")
            )
    if given.get("channel_id"):
        channel = _channel(workspace, given["channel_id"])["id"]
        shared = Message(standin.stamp(), channel, workspace.bot_user, given.get("initial_comment", ""), [])
        shared.thread_ts = given.get("thread_ts", "")
        shared.files = [{"id": one["id"], "name": workspace.files[one["id"]]["name"]} for one in listed]
        workspace.messages.append(shared)
    return {"files": [{"id": one["id"], "title": one.get("title", "")} for one in listed]}
