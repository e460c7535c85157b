"""How fresh and strong a sign-in a page asks the identity provider for, and whether what came back is that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from bot.errors import Unauthenticated

LEEWAY = timedelta(minutes=1)
"""How far the provider's clock may be off."""


@dataclass(frozen=True)
class Freshness:
    """The person proves who they are at most `max_age` ago, in one of the ways `acr` (any way when empty).

    Whether that suffices for what they want to do is decided there, by what `Services.sign_ins` has on record.
    """

    max_age: timedelta
    acr: tuple[str, ...] = ()

    def path(self, following: str) -> str:
        """Return where to send somebody who has to sign in so, and then goes on at `following`."""
        acr = {"acr": " ".join(self.acr)} if self.acr else {}
        asked = {"fresh": str(int(self.max_age.total_seconds())), **acr, "next": following}
        return "/signin?" + urlencode(asked, quote_via=quote, safe="/")

    def require(self, at: datetime | None, acr: str, now: datetime) -> None:
        """Raise Unauthenticated unless a proof of that moment, in that way, is what was asked for."""
        if at is None or now - at > self.max_age + LEEWAY:
            raise Unauthenticated(
                "Your identity provider did not say that you have just signed in.",
                next_step="Try again; its administrators can switch on the claim “auth_time”.",
            )
        if self.acr and acr not in self.acr:
            raise Unauthenticated(
                f"You signed in as “{acr or 'nothing said'}”, and this needs {' or '.join(self.acr)}.",
                next_step="Try again with your second factor.",
            )


def freshness_in(query: Mapping[str, str]) -> Freshness | None:
    """Return what an address of ours asks for; None for what is none of ours."""
    seconds = query.get("fresh", "")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) < 6):
        return None
    acr = tuple(query.get("acr", "")[:400].split())
    return Freshness(timedelta(seconds=int(seconds)), acr if all(word.isprintable() for word in acr) else ())
