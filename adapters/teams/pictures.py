"""Pictures that a card carries itself: Teams shows only what it can fetch, so they are served under a sealed name."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from bot.conversations import message_of
from bot.database.tables import messages
from bot.http import problem
from bot.pictures import pictures_of
from bot.services import Services

PATH = "/api/messages/pictures/{name}"
KEEPSAKE = "teams_pictures"
_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif"}


class Pictures:
    """Names pictures, and serves those that were named: whoever has a name was shown the card."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._key = b""

    async def start(self) -> None:
        """Get the key that all replicas seal names with."""
        self._key = (await self._services.keepsake(KEEPSAKE)).encode()

    def of(self, message: int) -> Callable[[int], str]:
        """Return what gives the address of a message's nth picture."""
        base = self._services.settings.public_url.rstrip("/")
        return lambda number: f"{base}{PATH.format(name=self._name(message, number))}"

    async def serve(self, request: Request) -> Response:
        """Answer GET of a picture."""
        name = request.path_params["name"]
        parts = name.split("-")
        if len(parts) != 3 or not (parts[0] + parts[1]).isascii() or not (parts[0] + parts[1]).isdigit():
            return _nothing()
        message, number = int(parts[0][:15]), int(parts[1][:4])
        if not self._key or not hmac.compare_digest(self._name(message, number).encode(), name.encode()):
            return _nothing()
        async with self._services.database.read() as connection:
            row = (await connection.execute(select(messages).where(messages.c.seq == message))).first()
        found = pictures_of(message_of(row).card) if row else []
        picture = next((p for p in found if p.number == number), None)
        kind = _TYPES.get(picture.name.rpartition(".")[2]) if picture else None
        if picture is None or kind is None:
            return _nothing()
        headers = {"cache-control": "private, max-age=86400, immutable", "x-content-type-options": "nosniff"}
        return Response(picture.content, media_type=kind, headers=headers)

    def _name(self, message: int, number: int) -> str:
        seal = hmac.new(self._key, f"{message}-{number}".encode(), hashlib.sha256).hexdigest()[:40]
        return f"{message}-{number}-{seal}"


def _nothing() -> Response:
    return problem(404, "No such picture", "There is no picture of that name.")
