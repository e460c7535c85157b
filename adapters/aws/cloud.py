"""boto3 behind the port `bot.cloud.Cloud`."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from adapters.aws.grants import ActingCredentials, Grants, acting_as
from bot.cloud import seen_request_ids
from bot.errors import CloudError
from bot.settings import Settings

THREADS = 16
URGENT_THREADS = 4
_URGENT = {("fis", "StopExperiment"), ("fis", "UpdateSafetyLeverState")}
PAGE_TOKENS = (("PageToken", "NextPageToken"), ("NextToken", "NextToken"), ("nextToken", "nextToken"))
"""What listings call the token of the following page, in their questions and in their answers."""
PACED = ("devops-guru", "cloudwatch")
"""Services whose callers keep to a rate budget (intents.insights.budget) and repeat what is throttled themselves."""
ONCE = (("codedeploy", "CreateDeployment"),)
"""Operations that take no token: the SDK repeats none whose answer was lost, since callers look for what came of it."""
REQUEST_TAG = "quartermaster-request"
_RETRYABLE = re.compile(
    r"[Tt]hrottl|TooManyRequests|RequestLimitExceeded|LimitExceededException$|RequestTimeout|Timeout|ServiceUnavailable"
    r"|InternalError|InternalFailure|InternalServer|ConcurrentModification|SlowDown"
)
_NOT_RETRYABLE = re.compile(r"ResourceLimitExceeded|ConstraintViolation")
_READS = re.compile(r"^(Describe|List|Get|Search|Scan|Recognize|Lookup|Simulate|AssumeRole|Batch(Get|Describe))")
_NOTICES = {("sns", "Publish"), ("sesv2", "SendEmail"), ("ses", "SendRawEmail"), ("s3", "PutObject")}
"""What is made in observe mode too: people are told, and the record's anchors are written."""


class BotoCloud:
    """Calls AWS from a bounded pool of threads; clients are made once per service and Region, and sign as
    the role of each call (`adapters.aws.grants`)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="aws")
        # A hanging Lex must not take the threads that orders are placed with. There is one for each turn that Lex
        # takes at once: a turn that waited for a thread could be sent after it was given up.
        self._lex_pool = ThreadPoolExecutor(settings.lex_concurrency, thread_name_prefix="lex")
        # What stops something never waits behind what goes on.
        self._urgent_pool = ThreadPoolExecutor(URGENT_THREADS, thread_name_prefix="aws-urgent")
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str, bool], Any] = {}
        self.grants = Grants(self._find_own, self._assume)
        core = botocore.session.get_session()
        core._credentials = ActingCredentials(self.grants)  # what each client of this session signs with
        self._session = boto3.Session(botocore_session=core)
        self._config = Config(
            retries={"mode": "standard", "max_attempts": 4},
            connect_timeout=3,
            read_timeout=20,
            max_pool_connections=THREADS + URGENT_THREADS,
            user_agent_extra="quartermaster",
        )
        # Lex has no idempotency key: a turn that is sent again is played again, so nothing is repeated.
        self._once = self._config.merge(
            Config(
                retries={"mode": "standard", "total_max_attempts": 1},
                read_timeout=settings.lex_timeout + 1,
                max_pool_connections=settings.lex_concurrency,
            )
        )

        # The budget of insights repeats what is throttled, at a pace that it finds by seeing each throttle.
        self._paced = self._config.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))

    async def call(
        self, service: str, operation: str, /, *, region: str = "", role: str = "", **parameters: Any
    ) -> dict[str, Any]:
        """Call one operation; see `bot.cloud.Cloud.call`."""
        if (
            self._settings.mode == "observe"
            and not _READS.match(operation)
            and (service, operation) not in _NOTICES | _URGENT
        ):
            raise CloudError("ObserveMode", "MODE=observe changes nothing.", operation=operation)
        loop = asyncio.get_running_loop()
        context = copy_context()
        pool = self._lex_pool if service == "lexv2-runtime" else self._pool
        if (service, operation) in _URGENT:
            pool = self._urgent_pool
        return await loop.run_in_executor(pool, context.run, self._call, service, operation, region, role, parameters)

    async def pages(
        self, service: str, operation: str, result: str, /, *, region: str = "", role: str = "", **parameters: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield a listing's entries over all pages; see `bot.cloud.Cloud.pages`."""
        client = await asyncio.get_running_loop().run_in_executor(self._pool, self._client, service, region)
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
            acting_as.set(role)  # in a context of this call's own
            client = self._client(service, region, is_once=(service, operation) in ONCE)
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

    def _client(self, service: str, region: str, *, is_once: bool = False) -> Any:
        key = (service, region or self._settings.aws_region, is_once)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._session.client(
                    service,
                    region_name=key[1],
                    endpoint_url=self._settings.aws_endpoint_url or None,
                    config=self._paced if is_once else self._config_of(service),
                )
            return self._clients[key]

    def _config_of(self, service: str) -> Config:
        if service == "lexv2-runtime":
            return self._once
        return self._paced if service in PACED else self._config

    def _find_own(self) -> Credentials | None:
        """Find our own identity as the SDKs do; in the sandbox, which takes any key, never on the network."""
        if not self._settings.is_sandbox:
            return botocore.session.get_session().get_credentials()
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        return Credentials(*(os.environ.get(name) or "sandbox" for name in names))

    def _assume(self, role: str, tag: str) -> Mapping[str, Any]:
        """Assume a role as whoever acts now, in a session tagged with the request."""
        # Tags let CloudTrail name the request behind each call, and policies ask for one.
        tags = {"Tags": [{"Key": REQUEST_TAG, "Value": tag}]} if tag else {}
        name = f"quartermaster-{tag}" if tag else "quartermaster"
        answer = self._client("sts", "").assume_role(RoleArn=role, RoleSessionName=name[:64], **tags)
        granted: Mapping[str, Any] = answer["Credentials"]
        return granted

    def close(self) -> None:
        """End the threads."""
        for pool in (self._pool, self._lex_pool, self._urgent_pool):
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
