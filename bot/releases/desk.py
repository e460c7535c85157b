"""The port by which pages steer roll-outs: the deeds of a conversation, with the same rights and the same record."""

from __future__ import annotations

from typing import Literal, Protocol, get_args, runtime_checkable

from bot.activity import Person
from bot.errors import NotFound
from bot.intent import Registry

Deed = Literal["pause", "resume", "retry", "skip", "back"]
"""Start nothing more; go on; try what failed again; leave what failed out; take back what was changed."""
DEEDS: tuple[str, ...] = get_args(Deed)


@runtime_checkable
class RolloutDesk(Protocol):
    """Steers roll-outs for those who are no conversation."""

    async def steer(self, request_id: str, deed: Deed, by: Person, surface: str) -> str:
        """Do it, as that person, and return what is told. Twice is like once.

        Raises NotFound, Refused (who may only look), Conflict (it is too late, or has not begun).
        """
        ...


def rollout_desk(registry: Registry) -> RolloutDesk:
    """Return the intent that steers roll-outs; raises NotFound when there is none."""
    found = next((intent for intent in registry.intents.values() if isinstance(intent, RolloutDesk)), None)
    if found is None:
        raise NotFound("There are no roll-outs here.")
    return found
