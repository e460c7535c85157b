"""People whose address a platform hides say it themselves; a code that is mailed there proves that it is theirs.

The code counts only for the user who was to get it, for a quarter of an hour and five tries, so a mail that somebody
else reads opens nothing by itself.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update

from bot.activity import Activity
from bot.database import Transaction
from bot.database.tables import identity_claims
from bot.dialogue.ended import say
from bot.dialogue.exchange import Decided
from bot.errors import Invalid
from bot.people import checked_email
from bot.rows import put
from bot.services import Services

LASTS = timedelta(minutes=15)
TRIES = 5
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 8
_CODE = re.compile(rf"\s*([{ALPHABET}]{{4}})[\s-]?([{ALPHABET}]{{4}})[\s.]*", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:]+@[^\s<>()\[\]\"',;:]+")


class AddressProof:
    """Asks for an address, mails the code, takes it back; `platform` is what people call the channel, such as Slack."""

    def __init__(self, services: Services, channel: str, platform: str) -> None:
        self._services, self._channel, self._platform = services, channel, platform
        self._asks = (
            f"Your {platform} profile shows me no e-mail address, and that is how I know who may do what. "
            "Tell me your address at work, and I will mail you a code to prove that it is yours."
        )

    async def hear(self, activity: Activity, platform_id: str) -> Decided:
        """Go on with somebody who is not known yet."""
        claim = await self._claim(platform_id)
        if claim is not None and (found := _CODE.fullmatch(activity.text)):
            return await self._take(activity, platform_id, claim, (found[1] + found[2]).upper())
        if named := _ADDRESS.search(activity.text):
            return await self._mail(activity, platform_id, named[0].rstrip("."))
        return say(self._services, activity, self._asks)

    async def _claim(self, platform_id: str) -> tuple[str, str, int] | None:
        query = select(identity_claims).where(*self._mine(platform_id))
        async with self._services.database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None or row.expires_at < self._services.clock.wall():
            return None
        return row.email, row.code_hash, row.tries

    async def _mail(self, activity: Activity, platform_id: str, address: str) -> Decided:
        try:
            email = checked_email(address)
        except Invalid as error:
            return say(self._services, activity, error.sentence())
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        now = self._services.clock.wall()

        async def also(transaction: Transaction) -> None:
            row = {
                "channel": self._channel,
                "platform_id": platform_id,
                "email": email,
                "code_hash": _hash(platform_id, email, code),
                "tries": 0,
                "expires_at": now + LASTS,
            }
            await put(transaction, identity_claims, row, on=["channel", "platform_id"])
            mail = {
                "kind": "news",
                "to": email,
                "subject": f"Your code for Quartermaster in {self._platform}",
                "lines": [
                    f"Somebody in {self._platform} says that this is their address. If it is you, answer Quartermaster "
                    f"there with this code within {LASTS.seconds // 60} minutes:",
                    f"{code[:4]}-{code[4:]}",
                    "If it is not you, do nothing: without the code, nothing is tied to your address.",
                ],
            }
            key = f"{self._channel}:code:{hashlib.sha256(activity.key.encode()).hexdigest()[:40]}"
            await self._services.outbox.put(transaction, key, "email", mail, pace=f"email:{email}"[:255])

        text = f"I have mailed a code to {email}. Answer with it within {LASTS.seconds // 60} minutes."
        return say(self._services, activity, text, also)

    async def _take(self, activity: Activity, platform_id: str, claim: tuple[str, str, int], code: str) -> Decided:
        email, expected, tries = claim
        if tries >= TRIES:
            return say(
                self._services, activity, "Those were too many tries. Tell me your address again for a new code."
            )
        if not hmac.compare_digest(_hash(platform_id, email, code), expected):

            async def count(transaction: Transaction) -> None:
                again = update(identity_claims).where(*self._mine(platform_id)).values(tries=tries + 1)
                await transaction.execute(again)

            return say(
                self._services, activity, "That is not the code that I mailed. Look again, or say your address.", count
            )
        person = await self._services.people.of_email(email)
        await self._services.people.link(self._channel, platform_id, person)

        async def end(transaction: Transaction) -> None:
            await transaction.execute(delete(identity_claims).where(*self._mine(platform_id)))
            await self._services.audit.record(
                transaction,
                "identity.verified",
                person_id=person.id,
                payload={"channel": self._channel, "id": platform_id},
            )

        return say(
            self._services, activity, f"Thank you: you are {email}. What can I do for you? Say “help” for a list.", end
        )

    def _mine(self, platform_id: str) -> tuple[Any, Any]:
        return identity_claims.c.channel == self._channel, identity_claims.c.platform_id == platform_id


def _hash(platform_id: str, email: str, code: str) -> str:
    return hashlib.sha256(f"{platform_id}\n{email}\n{code}".encode()).hexdigest()
