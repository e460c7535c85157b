"""boto3 behind the port `bot.cloud.Cloud`."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from bot.cloud import acting_for, seen_request_ids
from bot.errors import CloudError
from bot.settings import Settings

THREADS = 16
TAGGED = 32
"""Sessions of requests that are kept: one lives an hour, and making its clients takes a while."""
PAGE_TOKENS = (("PageToken", "NextPageToken"), ("NextToken", "NextToken"), ("nextToken", "nextToken"))
"""What listings call the token of the following page, in their questions and in their answers."""
REQUEST_TAG = "quartermaster-request"
_RETRYABLE = re.compile(
    r"[Tt]hrottl|TooManyRequests|RequestLimitExceeded|LimitExceededException$|RequestTimeout|Timeout|ServiceUnavailable"
    r"|InternalError|InternalFailure|InternalServer|ConcurrentModification|SlowDown"
)
_NOT_RETRYABLE = re.compile(r"ResourceLimitExceeded|ConstraintViolation")
_READS = re.compile(r"^(Describe|List|Get|Search|Scan|Recognize|Lookup|Simulate|AssumeRole|Batch(Get|Describe))")
_NOTICES = {("sns", "Publish"), ("sesv2", "SendEmail"), ("ses", "SendRawEmail")}


class BotoCloud:
    """Calls AWS from a bounded pool of threads; clients are made once per service, Region and role."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="aws")
        # A hanging Lex must not take the threads that orders are placed with.
        self._lex_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="lex")
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str, str, str], Any] = {}
        self._sessions: dict[tuple[str, str], tuple[boto3.Session, datetime]] = {}
        self._config = Config(
            retries={"mode": "standard", "max_attempts": 4},
            connect_timeout=3,
            read_timeout=20,
            max_pool_connections=THREADS,
            user_agent_extra="quartermaster",
        )
        # Lex has no idempotency key: a turn that is sent again is played again, so nothing is repeated.
        self._once = self._config.merge(
            Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=settings.lex_timeout + 1)
        )

    async def call(
        self, service: str, operation: str, /, *, region: str = "", role: str = "", **parameters: Any
    ) -> dict[str, Any]:
        """Call one operation; see `bot.cloud.Cloud.call`."""
        if self._settings.mode == "observe" and not _READS.match(operation) and (service, operation) not in _NOTICES:
            raise CloudError("ObserveMode", "MODE=observe changes nothing.", operation=operation)
        loop = asyncio.get_running_loop()
        context = copy_context()
        pool = self._lex_pool if service == "lexv2-runtime" else self._pool
        return await loop.run_in_executor(pool, context.run, self._call, service, operation, region, role, parameters)

    async def pages(
        self, service: str, operation: str, result: str, /, *, region: str = "", role: str = "", **parameters: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield a listing's entries over all pages; see `bot.cloud.Cloud.pages`."""
        client = await asyncio.get_running_loop().run_in_executor(self._pool, self._client, service, region, role)
        tokens = _paging(client, operation)
        following: dict[str, Any] = {}
        while True:
            page = await self.call(service, operation, region=region, role=role, **parameters, **following)
            for entry in page.get(result) or []:
                yield entry
            following = {given: page[taken] for given, taken in tokens if page.get(taken)}
            if not following:
                return

    def _call(self, service: str, operation: str, region: str, role: str, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            client = self._client(service, region, role)
            method = getattr(client, _method_name(client, operation))
            answer: dict[str, Any] = method(**parameters)
        except ClientError as error:
            raise _cloud_error(error, operation) from error
        except (ConnectionError, HTTPClientError) as error:
            raise CloudError(type(error).__name__, str(error), operation=operation, retryable=True) from error
        except BotoCoreError as error:
            raise CloudError(type(error).__name__, str(error), operation=operation) from error
        metadata = answer.pop("ResponseMetadata", {})
        _remember(metadata.get("RequestId", ""))
        return answer

    def _client(self, service: str, region: str, role: str) -> Any:
        region = region or self._settings.aws_region
        tag = acting_for.get() if role else ""
        key = (service, region, role, tag)
        with self._lock:
            self._drop_stale()
            if key not in self._clients:
                self._clients[key] = self._session(role, tag).client(
                    service,
                    region_name=region,
                    endpoint_url=self._settings.aws_endpoint_url or None,
                    config=self._once if service == "lexv2-runtime" else self._config,
                )
            return self._clients[key]

    def _drop_stale(self) -> None:
        """Forget sessions that end soon, and those of requests that were carried out longest ago."""
        now = datetime.now(UTC)
        tagged = [key for key in self._sessions if key[1]]
        for key in [k for k, (_, end) in self._sessions.items() if end <= now] + tagged[:-TAGGED]:
            self._sessions.pop(key, None)
            self._clients = {k: c for k, c in self._clients.items() if k[2:] != key}

    def _session(self, role: str, tag: str) -> boto3.Session:
        known = self._sessions.get((role, tag))
        if known is None:
            known = self._assume(role, tag) if role else self._own()
            self._sessions[role, tag] = known
        return known[0]

    def _own(self) -> tuple[boto3.Session, datetime]:
        never = datetime.max.replace(tzinfo=UTC)
        session = boto3.Session()
        if self._settings.is_sandbox and session.get_credentials() is None:
            # The sandbox takes any key; without one the SDK would look for an instance role on the network.
            return boto3.Session(aws_access_key_id="sandbox", aws_secret_access_key="sandbox"), never  # noqa: S106
        return session, never

    def _assume(self, chain: str, tag: str) -> tuple[boto3.Session, datetime]:
        """Assume the last role of a chain from the one before it, in a session tagged with the request."""
        before, _, role = chain.rpartition(">")
        session = self._session(before, tag)
        sts = session.client(
            "sts",
            region_name=self._settings.aws_region,
            endpoint_url=self._settings.aws_endpoint_url or None,
            config=self._config,
        )
        # Tags let CloudTrail name the request behind each call, and policies ask for one.
        tags = {"Tags": [{"Key": REQUEST_TAG, "Value": tag}]} if tag else {}
        name = f"quartermaster-{tag}" if tag else "quartermaster"
        granted = sts.assume_role(RoleArn=role, RoleSessionName=name[:64], **tags)["Credentials"]
        assumed = boto3.Session(
            aws_access_key_id=granted["AccessKeyId"],
            aws_secret_access_key=granted["SecretAccessKey"],
            aws_session_token=granted["SessionToken"],
        )
        return assumed, granted["Expiration"] - timedelta(minutes=5)

    def close(self) -> None:
        """End the threads."""
        for pool in (self._pool, self._lex_pool):
            pool.shutdown(wait=False, cancel_futures=True)


def _method_name(client: Any, operation: str) -> str:
    for method, name in client.meta.method_to_api_mapping.items():
        if name == operation:
            return str(method)
    raise CloudError("NoSuchOperation", f"{client.meta.service_model.service_name} has no {operation}.")


def _paging(client: Any, operation: str) -> list[tuple[str, str]]:
    method = _method_name(client, operation)
    if not client.can_paginate(method):
        # botocore describes no paginator for some listings that have pages, such as SearchProvisionedProducts.
        model = client.meta.service_model.operation_model(operation)
        given, taken = (shape.members if shape else {} for shape in (model.input_shape, model.output_shape))
        return [pair for pair in PAGE_TOKENS if pair[0] in given and pair[1] in taken]
    paginator = client.get_paginator(method)
    given, taken = paginator._pagination_cfg["input_token"], paginator._pagination_cfg["output_token"]
    both = zip(*([x] if isinstance(x, str) else x for x in (given, taken)), strict=True)
    return [(g, t.split(" ")[0]) for g, t in both]


def _cloud_error(error: ClientError, operation: str) -> CloudError:
    details = error.response.get("Error", {})
    metadata = error.response.get("ResponseMetadata", {})
    request_id = str(metadata.get("RequestId", ""))
    _remember(request_id)
    code = str(details.get("Code", "Unknown"))
    status = int(metadata.get("HTTPStatusCode", 0))
    retryable = (status >= 500 or bool(_RETRYABLE.search(code))) and not _NOT_RETRYABLE.search(code)
    return CloudError(
        code, str(details.get("Message", "")), operation=operation, request_id=request_id, retryable=retryable
    )


def _remember(request_id: str) -> None:
    seen = seen_request_ids.get()
    if seen is not None and request_id:
        seen.append(request_id)
