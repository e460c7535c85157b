"""Slack's Web API: one place that calls it, and says in our own errors what became of a call."""

from __future__ import annotations

from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import QuartermasterError, Unavailable

LIMIT = 20
"""Seconds that one call may take."""
RETRY_AFTER = 30.0
"""Seconds to wait after a 429 that does not say how long."""


class SlackRefused(QuartermasterError):
    """Slack answered, and did not do it; `code` is its error, such as channel_not_found."""

    title = "Slack refused"

    def __init__(self, method: str, code: str, response: dict[str, Any] | None = None) -> None:
        told = [str(m) for m in (response or {}).get("response_metadata", {}).get("messages", [])]
        super().__init__(f"Slack answered {method} with {code}." + (f" {'; '.join(told)}" if told else ""))
        self.code = code


class RateLimited(Unavailable):
    """Slack asks to wait `retry_after` seconds."""

    def __init__(self, method: str, retry_after: float) -> None:
        super().__init__(f"Slack asks to call {method} again in {retry_after:g} s.")
        self.retry_after = retry_after


class Web:
    """Calls Slack with keep-alive connections; retries nothing, that is for the inbox and the outbox to do."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._session: aiohttp.ClientSession | None = None

    def client(self, token: str = "") -> AsyncWebClient:
        """Return the SDK's client; call from within the event loop."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LIMIT))
        return AsyncWebClient(
            token=token or None, base_url=self.base_url, timeout=LIMIT, session=self._session, retry_handlers=[]
        )

    async def call(self, token: str, method: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a method by its name in the SDK, such as chat_postMessage, and return what Slack answered.

        Raises SlackRefused, RateLimited, or Unavailable when there was no answer to understand.
        """
        try:
            answer = await getattr(self.client(token), method)(**arguments)
        except SlackApiError as error:
            raise _meaning_of(method, error) from error
        except (aiohttp.ClientError, SlackClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"Slack can't be reached for {method}: {type(error).__name__}.") from error
        found: dict[str, Any] = answer.data if isinstance(answer.data, dict) else {}
        return found

    async def post(self, url: str, body: dict[str, Any]) -> None:
        """Post to a response_url; raises SlackRefused, RateLimited or Unavailable."""
        self.client()
        if self._session is None:
            raise RuntimeError("there is no session")
        try:
            async with self._session.post(url, json=body) as answer:
                text = (await answer.text())[:200]
                if answer.status == 429:
                    raise RateLimited("response_url", _seconds(answer.headers.get("Retry-After")))
                if answer.status >= 500:
                    raise Unavailable(f"Slack answered response_url with {answer.status}.")
                if answer.status >= 400 or text.startswith(('{"ok":false', "expired_url", "used_url")):
                    raise SlackRefused("response_url", text or str(answer.status))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"Slack can't be reached for response_url: {type(error).__name__}.") from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _meaning_of(method: str, error: SlackApiError) -> QuartermasterError:
    response = error.response
    status, data = getattr(response, "status_code", 0), getattr(response, "data", None)
    found = data if isinstance(data, dict) else {}
    code = str(found.get("error") or "")
    if status == 429 or code in {"ratelimited", "rate_limited"}:
        headers = {str(k).lower(): v for k, v in dict(getattr(response, "headers", {})).items()}
        return RateLimited(method, _seconds(headers.get("retry-after")))
    if status >= 500 or not code or code in _PASSING:
        return Unavailable(f"Slack answered {method} with {code or status}.")
    return SlackRefused(method, code, found)


_PASSING = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org", "accesslimited"}
)


def _seconds(text: Any) -> float:
    try:
        return max(0.0, float(text))
    except (TypeError, ValueError):
        return RETRY_AFTER
