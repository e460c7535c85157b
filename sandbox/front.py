"""The one port: control routes, operations of ours, operations passed on, and an answer to all the rest."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from time import time
from typing import Any

from sandbox import services as _registered  # noqa: F401 - registers every service's operations
from sandbox.authorization import authorize
from sandbox.calls import Call, CallLog, without_secrets
from sandbox.clock import moment
from sandbox.control import Control
from sandbox.errors import AwsError, ConnectionReset
from sandbox.faults import Faults
from sandbox.landing_zone import MANAGEMENT_ACCOUNT
from sandbox.passed_on import is_passed_on, services_passed_on
from sandbox.protocol import (
    Environ,
    Operation,
    PassedOn,
    Signature,
    StartResponse,
    WireResponse,
    describe_request,
    knows_service,
    match_operation,
    read_signature,
    serialize_plain_error,
)
from sandbox.provisioning import settle
from sandbox.rates import Rates
from sandbox.registry import OPERATIONS, SERVICES, Context, Served, Service, services_signed_as
from sandbox.sessions import Caller, identify_caller
from sandbox.sns_links import answer_unsigned
from sandbox.validation import check_result, find_violations, summarize
from sandbox.world import World

_LOG = logging.getLogger("sandbox")
_MAX_BODY = 16 * 1024 * 1024


@dataclass
class _Answering:
    """One call on its way to an answer."""

    environ: Environ
    body: bytes
    signature: Signature
    service: Service
    operation: Operation
    caller: Caller
    call: Call


class Front:
    """The WSGI application of the sandbox."""

    def __init__(self, world: World, faults: Faults, calls: CallLog) -> None:
        self._world = world
        self._faults = faults
        self._calls = calls
        self._rates = Rates()
        self._passed_on = PassedOn()
        self._control = Control(world, faults, calls, self._passed_on.reset)
        self._closed = False

    def close(self) -> None:
        """Answer nothing any more, and let go of calls that wait."""
        self._closed = True
        self._faults.close()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; ConnectionResetError tells the server to drop the connection."""
        request_id = str(uuid.uuid4())
        try:
            if self._closed:
                raise ConnectionReset
            response = self._answer(environ, request_id)
        except ConnectionReset:
            raise ConnectionResetError from None
        except Exception as error:
            if self._closed:
                raise ConnectionResetError from error
            _LOG.exception("sandbox bug")
            bug = AwsError("SandboxBug", f"The sandbox failed: {error!r}", status=500)
            response = serialize_plain_error(environ, bug, request_id)
        headers = {name: value for name, value in response.headers.items() if name.lower() not in _OWN_HEADERS}
        headers["Content-Length"] = str(len(response.body))
        headers["x-amzn-RequestId"] = request_id
        phrase = HTTPStatus(response.status).phrase if response.status in _STATUSES else "Unknown"
        start_response(f"{response.status} {phrase}", list(headers.items()))
        return [response.body]

    def _answer(self, environ: Environ, request_id: str) -> WireResponse:
        path = str(environ.get("PATH_INFO", "/"))
        body = _read_body(environ)
        if body is None:
            error = AwsError("RequestEntityTooLarge", f"A request may have {_MAX_BODY} bytes.", status=413)
            return serialize_plain_error(environ, error, request_id)
        if path == "/_sandbox" or path.startswith("/_sandbox/"):
            return self._control.answer(environ, body)
        signature = read_signature(environ)
        if signature is None and (unsigned := answer_unsigned(self._world, environ)) is not None:
            return unsigned
        if signature is None:
            error = AwsError(
                "MissingAuthenticationToken",
                "The request has no AWS signature. The sandbox's own routes are under /_sandbox.",
                status=403,
            )
            return serialize_plain_error(environ, error, request_id)
        return self._answer_signed(environ, body, signature, request_id)

    def _answer_signed(self, environ: Environ, body: bytes, signature: Signature, request_id: str) -> WireResponse:
        operation = _find_operation(environ, body, signature)
        service = _service_of(signature, operation)
        call = Call(
            service=service.name,
            operation=operation.name if operation else describe_request(environ, body),
            account=MANAGEMENT_ACCOUNT,
            region=signature.region,
            params={},
            at=moment(self._world.clock.now()).isoformat(),
            wall=datetime.fromtimestamp(time(), UTC).isoformat(),
            request_id=request_id,
        )
        response: WireResponse | None = None
        try:
            self._calls.add(call)
            caller = identify_caller(self._world, signature.access_key)
            call.account, call.role, call.tags = caller.account, caller.role_arn, dict(caller.session_tags)
            if operation is None:
                raise _not_served(service.name, call.operation)
            answering = _Answering(environ, body, signature, service, operation, caller, call)
            response = self._carry_out(answering, request_id)
        except AwsError as error:
            call.error = error.code
            response = (
                operation.serialize_error(error, request_id)
                if operation
                else serialize_plain_error(environ, error, request_id)
            )
        except ConnectionReset:
            call.error = "ConnectionReset"
            raise
        finally:
            if response is not None:
                call.status = response.status
        return response

    def _carry_out(self, answering: _Answering, request_id: str) -> WireResponse:
        operation = answering.operation
        served = OPERATIONS.get((operation.service, operation.name))
        passed_on = is_passed_on(answering.signature.signing_name, operation.service, operation.name)
        if served is None and not passed_on:
            raise _not_served(operation.service, operation.name)
        parameters = operation.parse()
        answering.call.params = without_secrets(parameters)
        if served is not None and served.within is not None:
            with served.within(self._context(answering), parameters):
                return self._carry_out_parsed(answering, served, parameters, request_id)
        return self._carry_out_parsed(answering, served, parameters, request_id)

    def _carry_out_parsed(
        self, answering: _Answering, served: Served | None, parameters: dict[str, Any], request_id: str
    ) -> WireResponse:
        service, operation = answering.service, answering.operation
        self._strike_before(answering)
        if served is None:
            self._authorize(answering, parameters)
            response = self._passed_on(answering.environ, answering.body, answering.caller.account)
        else:
            violations = find_violations(operation.input_shape, parameters)
            if violations:
                raise AwsError(service.invalid, summarize(violations))
            self._authorize(answering, parameters)
            response = operation.serialize(self._run(served, answering, parameters), request_id)
        self._strike_after(answering)
        return response

    def _authorize(self, answering: _Answering, parameters: dict[str, Any]) -> None:
        if not answering.caller.role_arn:
            # Nothing holds the embedded default's user, so its calls need not wait for the world.
            return
        with self._world.lock:
            reason = authorize(
                self._world,
                answering.caller,
                signing_name=answering.signature.signing_name,
                operation=answering.operation.name,
                region=answering.signature.region,
                parameters=parameters,
            )
        if reason is not None:
            raise AwsError(answering.service.denied, reason, status=answering.service.denied_status)

    def _run(self, served: Served, answering: _Answering, parameters: dict[str, Any]) -> dict[str, Any]:
        operation, context = answering.operation, self._context(answering)
        if served.locked:
            with self._world.lock:
                settle(self._world)
                try:
                    result = dict(served.handler(context, parameters))
                finally:
                    self._world.save()
        else:
            result = dict(served.handler(context, parameters))
        problem = check_result(operation.output_shape, result)
        if problem:
            _LOG.error("sandbox bug: %s.%s answers wrongly: %s", operation.service, operation.name, problem)
            raise AwsError("SandboxBug", f"{operation.service} {operation.name}: {problem}", status=500)
        return result

    def _context(self, answering: _Answering) -> Context:
        return Context(
            account=answering.caller.account,
            region=answering.signature.region,
            service=answering.operation.service,
            operation=answering.operation.name,
            caller=answering.caller.arn,
            principal=answering.caller,
            access_key=answering.signature.access_key,
            world=self._world,
        )

    def _strike_before(self, answering: _Answering) -> None:
        service, where = answering.service, (answering.operation.service, answering.operation.name)
        slow = self._faults.take("slow", *where)
        if slow is not None and not self._faults.wait(float(slow["seconds"])):
            raise ConnectionReset
        self._interrupt(where, "before")
        if self._faults.take("access_denied", *where) is not None:
            raise AwsError(
                service.denied,
                f"User: {answering.caller.arn} is not authorized to perform: {where[0]}:{where[1]} "
                "because no identity-based policy allows the action",
                status=service.denied_status,
            )
        if self._faults.take("throttling", *where) is not None:
            raise AwsError(service.throttled, "Rate exceeded", status=service.throttled_status)
        limit = self._faults.take("rate_limits", *where)
        if limit is not None and not self._rates.admit(
            (answering.caller.account, answering.signature.region, *where), limit
        ):
            raise AwsError(service.throttled, "Rate exceeded", status=service.throttled_status)
        if self._faults.take("server_error", *where) is not None:
            raise AwsError(service.failed, "An internal failure occurred. Try again later.", status=500)

    def _strike_after(self, answering: _Answering) -> None:
        self._interrupt((answering.operation.service, answering.operation.name), "after")

    def _interrupt(self, where: tuple[str, str], when: str) -> None:
        if self._faults.take("connection_reset", *where, when=when) is not None:
            raise ConnectionReset
        if self._faults.take("hang", *where, when=when) is not None and not self._faults.hold("hang"):
            raise ConnectionReset


_OWN_HEADERS = ("content-length", "x-amzn-requestid", "x-amz-request-id", "connection")
_OTHER_SIGNING_NAMES = {
    "elasticloadbalancing": "elbv2",
    "lex": "lexv2-models",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}
_STATUSES = {status.value for status in HTTPStatus}


def _read_body(environ: Environ) -> bytes | None:
    """The whole body, or None if it is too large."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    if length:
        if not str(length).isdigit() or int(length) > _MAX_BODY:
            return None
        return bytes(stream.read(int(length)))
    if environ.get("wsgi.input_terminated"):
        body = bytes(stream.read(_MAX_BODY + 1))
        return body if len(body) <= _MAX_BODY else None
    return b""


def _find_operation(environ: Environ, body: bytes, signature: Signature) -> Operation | None:
    names = [service.name for service in services_signed_as(signature.signing_name)]
    names += [name for name in services_passed_on(signature.signing_name) if name not in names]
    names += [name for name in _models_signed_as(signature.signing_name) if name not in names]
    for name in names:
        operation = match_operation(name, environ, body)
        if operation is not None:
            return operation
    return None


def _models_signed_as(signing_name: str) -> list[str]:
    """Services that aren't served, looked at only to name the operation that was asked for."""
    named = _OTHER_SIGNING_NAMES.get(signing_name, signing_name)
    return [named] if knows_service(named) else []


def _service_of(signature: Signature, operation: Operation | None) -> Service:
    name = operation.service if operation else signature.signing_name
    return SERVICES.get(name) or Service(name, signing_name=signature.signing_name)


def _not_served(service: str, operation: str) -> AwsError:
    return AwsError(
        "UnknownOperationException", f"The sandboxed AWS doesn't serve {operation} of {service}.", status=400
    )
