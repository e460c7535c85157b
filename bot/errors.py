"""Everything that can go wrong on purpose, and what the person can do about it.

QuartermasterError                 base; carries `detail` and, where there is one, `next`
├── Invalid             422        a value is missing or malformed; `field` names it
├── Unauthenticated     401        nobody vouches for the caller
├── Refused             403        policy says no; the reason is the policy's own words
├── NotFound            404        there is no such thing, or the caller may not know of it
├── Conflict            409        it has been decided or done already
├── Gone                410        it was there, and is expired or superseded
├── Unavailable         503        a part we need does not answer; try again
├── SettingsError                  a setting is wrong; raised at start only
└── CloudError                     an AWS call failed; `retryable` tells whether waiting cures it
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_LACKING = re.compile(r"not authorized to perform: ([A-Za-z0-9-]+:\w+)")
_WHO = re.compile(r"\bUser: \S+ is not authorized to perform: (\S+)(?: on resource: \S+)?(?: with an explicit deny)?")
_ARN = re.compile(r"\barn:aws[\w-]*:[^\s,;\"'“”<>()]+")


def without_arns(text: str) -> str:
    """Return AWS's words for people who need not know how the installation is made: no ARN, no role, no session."""
    plain = _WHO.sub(r"the role that I use lacks the permission \1", text)
    return _ARN.sub("…", plain)


class QuartermasterError(Exception):
    """Base of all expected failures; `detail` is a sentence that a person can act on."""

    status = 500
    title = "Something went wrong"

    def __init__(self, detail: str, *, next_step: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.next_step = next_step

    def sentence(self) -> str:
        """Return the detail and, where known, what to do next, as one text."""
        return f"{self.detail} {self.next_step}".strip()


class Invalid(QuartermasterError):
    """A value is missing or malformed; `choices` are the few values that were meant, if it is a matter of which."""

    status = 422
    title = "That value is not valid"

    def __init__(self, detail: str, *, field: str = "", next_step: str = "", choices: tuple[str, ...] = ()) -> None:
        super().__init__(detail, next_step=next_step)
        self.field = field
        self.choices = choices


class Unauthenticated(QuartermasterError):
    """Nobody vouches for the caller."""

    status = 401
    title = "Sign-in or a key is needed"


class Refused(QuartermasterError):
    """A policy says no; `policy` is its id, empty when no policy permits the action.

    `asked` is what was to be asked for, where it was that which policy refused; see `bot.policy.refusals`.
    """

    status = 403
    title = "Not allowed"

    def __init__(
        self, detail: str, *, policy: str = "", next_step: str = "", asked: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(detail, next_step=next_step)
        self.policy, self.asked = policy, asked


class NotFound(QuartermasterError):
    """There is no such thing, or the caller may not know of it."""

    status = 404
    title = "Not found"


class Conflict(QuartermasterError):
    """It has been decided or done already."""

    status = 409
    title = "Already decided"


class Gone(QuartermasterError):
    """It was there, and is expired, withdrawn or superseded."""

    status = 410
    title = "No longer valid"


class Unavailable(QuartermasterError):
    """A part that is needed does not answer; trying again may help."""

    status = 503
    title = "Not available right now"


class SettingsError(QuartermasterError):
    """A setting is missing, malformed or unsafe; the process refuses to start."""

    title = "Settings are wrong"


class CloudError(QuartermasterError):
    """An AWS call failed.

    `code` is AWS's error code, `operation` the API name, `request_id` what AWS support asks for.
    `retryable` is true for throttling, time-outs and AWS's own failures: only those are cured by waiting.
    """

    status = 502
    title = "AWS refused or failed"

    def __init__(
        self, code: str, message: str, *, operation: str = "", request_id: str = "", retryable: bool = False
    ) -> None:
        super().__init__(f"AWS answered {operation} with {code}: {message}")
        self.code = code
        self.message = message
        self.operation = operation
        self.request_id = request_id
        self.retryable = retryable

    @property
    def plain(self) -> str:
        """What happened, for everybody. AWS's own words stand in the audit and, for operators, in the steps."""
        if self.missing_permission:
            why = f"the role that I use lacks the permission {self.missing_permission}."
        else:
            why = without_arns(self.message) or "AWS gave no reason."
        return f"AWS refused {self.operation} with {self.code}: {why}"

    def sentence(self) -> str:
        """Return what happened, for everybody."""
        return f"{self.plain} {self.next_step}".strip()

    @property
    def missing_permission(self) -> str:
        """The IAM action that AWS says the caller lacks, such as organizations:ListRoots; empty if it names none."""
        found = _LACKING.search(self.message)
        return found[1] if found else ""
