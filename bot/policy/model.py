"""What policies are asked about, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.errors import Refused

ASK = "If you need it, ask your platform team."


@dataclass(frozen=True)
class Decision:
    """Whether an action is allowed, in words, and the id of the policy that decided (empty: none permits).

    `help` tells a person who was refused who could do it instead; empty when nobody is known.
    """

    allowed: bool
    reason: str
    policy: str
    help: str = ""
    acr: str = ""
    """How well the person has to have signed in for it, by the identity provider's word; empty where that is open."""
    asked: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    """What was to be asked for, where that was refused: intent, shape, values, channel and policy."""

    def require(self) -> Decision:
        """Return itself when allowed, else raise Refused with the reason, and who could help."""
        if not self.allowed:
            raise Refused(self.reason, policy=self.policy, next_step=self.help, asked=self.asked)
        return self


@dataclass(frozen=True)
class Subject:
    """The request as policies see it. `monthly_usd` is what its plan would spend at most, 0 where none is planned."""

    id: str
    intent: str
    tier: str
    requester: str
    approvers: tuple[str, ...]
    values: Mapping[str, str]
    account: str = ""
    monthly_usd: int = 0
    stacks: tuple[str, ...] = ()
    """Stacks and components that its plan is about; those that `values` name where it has no plan yet."""


def refused(words: str, decision: Decision) -> Refused:
    """Return what is raised where policy refuses, with words of the caller's before the policy's own."""
    text = f"{words} {decision.reason}"
    return Refused(text, policy=decision.policy, next_step=decision.help, asked=decision.asked)
