"""What a call can be answered with instead of a result.

SandboxError
├── AwsError           an error of AWS, in AWS's own code and words; the caller sees it
├── UnusableState      the state file can't be used (sandbox.store)
├── NotLoopback        asked to listen where others could reach it (sandbox.server)
├── ConnectionReset    no answer at all: the connection is torn down
└── ControlError       a refused request to the sandbox's own control routes
"""

from __future__ import annotations

from typing import Any


class SandboxError(Exception):
    """Base of everything the sandbox raises on purpose."""


class AwsError(SandboxError):
    """An error as AWS would answer it.

    `code` is the error's shape name in the service's model (or a common one such as ThrottlingException);
    `status` overrides the HTTP status that the model gives; `members` are further modelled fields.
    """

    def __init__(self, code: str, message: str, *, status: int | None = None, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members


class ConnectionReset(SandboxError):
    """The connection is to be reset without an answer."""


class ControlError(SandboxError):
    """A control request that can't be carried out; `status` is the HTTP status to answer with."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
