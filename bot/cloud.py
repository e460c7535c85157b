"""The port to AWS: API names as AWS writes them, plain dicts in and out. `adapters.aws` carries it out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any, Protocol

seen_request_ids: ContextVar[list[str] | None] = ContextVar("seen_request_ids", default=None)
"""AWS request ids of the calls made so far by the step that is running; None outside of steps."""


acting_for: ContextVar[str] = ContextVar("acting_for", default="")
"""The request that is being carried out: assumed roles' sessions are tagged with it. Empty while planning."""


class Cloud(Protocol):
    """Makes AWS calls off the event loop, in the account and Region that `role` and `region` name."""

    async def call(
        self, service: str, operation: str, /, *, region: str = "", role: str = "", **parameters: Any
    ) -> dict[str, Any]:
        """Call one operation, such as ("organizations", "DescribeAccount", AccountId=…).

        `role` is the ARN of a role to assume, empty for the process's own credentials; several joined by ">" are
        assumed one from the other, as `Settings.member_role` returns them. Throttling and
        AWS's own failures are retried by the SDK's standard mode. Raises CloudError.
        """
        ...

    def pages(
        self, service: str, operation: str, result: str, /, *, region: str = "", role: str = "", **parameters: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the entries under key `result` of every page of a listing. Raises CloudError."""
        ...
