"""Words that notify somebody: only a mention does, an update of a card does not."""

from __future__ import annotations

import re
from typing import Any

from bot.request_card import ENDED
from bot.requests import RequestRecord


def ping_of(request: RequestRecord, user: str) -> dict[str, Any]:
    """Return the message that tells who asked that a request is over; it mentions them by `user`, their id there.

    That is empty in their own chat, and where they read no more.
    """
    words = f"Your request {request.id} {ENDED.get(request.state, 'is over')}; its card says more."
    if not user:
        return {"type": "message", "text": words, "textFormat": "plain"}
    name = f"<at>{called(request.requester.called)}</at>"
    entity = {"type": "mention", "text": name, "mentioned": {"id": user, "name": called(request.requester.called)}}
    return {"type": "message", "text": f"{name} {words}", "textFormat": "xml", "entities": [entity]}


def called(name: str) -> str:
    """Return a name that is only letters, so that nobody's name is markup."""
    return " ".join(re.sub(r"[^\w .'-]|_", " ", name).split())[:60] or "You"
