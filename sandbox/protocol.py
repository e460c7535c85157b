"""AWS's wire protocols: requests into parameters, results and errors into responses.

The only file that touches moto's internals (router, parsers, serializers, application). They move between
releases, so moto is pinned exactly; nothing below leaks a moto type to the rest of the sandbox.
"""

from __future__ import annotations

import functools
import io
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any
from xml.sax.saxutils import escape

from botocore.exceptions import UnknownServiceError
from botocore.model import MapShape, StructureShape
from moto.core.errors import COMMON_ERROR_CODES
from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import NotFound, get_service_router
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model

from sandbox import rpc_cbor
from sandbox.errors import AwsError

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApplication = Callable[[Environ, StartResponse], Iterable[bytes]]

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/aws4_request")


@dataclass(frozen=True)
class Signature:
    """Who signed a request, for which Region and service (the credential scope of SigV4)."""

    access_key: str
    region: str
    signing_name: str


@dataclass(frozen=True)
class WireResponse:
    """An HTTP response ready to be sent."""

    status: int
    headers: dict[str, str]
    body: bytes


def read_signature(environ: Environ) -> Signature | None:
    """The signature's scope, or None for an unsigned request; the signature itself isn't verified."""
    found = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if found is None:
        return None
    access_key, _date, region, signing_name = found.groups()
    return Signature(access_key, region, signing_name)


class Operation:
    """One operation of one service, as a request named it."""

    def __init__(self, model: OperationModel, protocol: str, request: Any, labels: dict[str, Any]):
        self._model = model
        self._protocol = protocol
        self._request = request
        self._labels = labels
        self.name = str(model.name)
        self.service = str(model.service_model.service_name)

    @property
    def input_shape(self) -> StructureShape | None:
        """botocore's shape of the parameters; None when the operation takes none."""
        shape = self._model.input_shape
        return shape if isinstance(shape, StructureShape) else None

    @property
    def output_shape(self) -> StructureShape | None:
        """botocore's shape of the result; None when the operation returns nothing."""
        shape = self._model.output_shape
        return shape if isinstance(shape, StructureShape) else None

    def parse(self) -> dict[str, Any]:
        """The request's parameters under their modelled names; SerializationException if undecodable."""
        request = self._request
        parser = PROTOCOL_PARSERS[self._protocol](self._model, map_type=dict)
        wire = {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": self._labels,
        }
        try:
            parsed = dict(parser.parse(wire))  # type: ignore[arg-type]
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise AwsError("SerializationException", "The request could not be decoded.") from error
        # A blank path label or an absent header arrives as None; to AWS it is absent.
        return {name: value for name, value in parsed.items() if value is not None}

    def serialize(self, result: Mapping[str, Any], request_id: str) -> WireResponse:
        """The response that carries a result."""
        return self._serialize(result, request_id)

    def serialize_error(self, error: AwsError, request_id: str) -> WireResponse:
        """The response that carries an error, with the HTTP status of its model unless it brings its own."""
        if error.code not in COMMON_ERROR_CODES:
            # Codes that every service answers with (throttling, denials) are in no service's model; without
            # this moto warns about each.
            COMMON_ERROR_CODES.append(error.code)
        exception = _WireError(error.code, error.message)
        for name, value in error.members.items():
            setattr(exception, name, value)
        response = self._serialize(exception, request_id)
        return WireResponse(error.status or response.status, response.headers, response.body)

    def _serialize(self, result: Any, request_id: str) -> WireResponse:
        serializer = _serializer_class(self.service, self._protocol)(
            operation_model=self._model, context=SerializationContext(request_id)
        )
        wire = serializer.serialize(result)
        body = wire["body"]
        headers = {name: str(value) for name, value in wire["headers"].items()}
        if self._protocol == "json":
            version = self._model.service_model.metadata.get("jsonVersion", "1.1")
            headers["Content-Type"] = f"application/x-amz-json-{version}"
        return WireResponse(wire["status_code"], headers, body.encode() if isinstance(body, str) else body)


@functools.cache
def _serializer_class(service: str, protocol: str) -> Any:
    """moto's serializer; for Lex one that keeps the nulls of empty slots, which moto leaves out."""
    base = get_serializer_class(service, protocol)
    if service != "lexv2-runtime":
        return base

    class KeepingNulls(base):  # type: ignore[valid-type,misc]
        def _serialize_type_map(self, serialized: Any, value: Any, shape: MapShape, key: str) -> None:
            entries = self.MAP_TYPE()
            self._default_serialize(serialized, entries, shape, key)
            for name, entry in value.items():
                if entry is None:
                    entries[name] = None
                else:
                    self._serialize(entries, entry, shape.value, name)

    return KeepingNulls


class CborOperation(Operation):
    """An operation that was asked for in RPC v2 over CBOR."""

    def __init__(self, model: OperationModel, body: bytes, service: str) -> None:
        super().__init__(model, rpc_cbor.PROTOCOL, None, {})
        self._body = body
        self.service = service

    def parse(self) -> dict[str, Any]:
        """The request's parameters under their modelled names; SerializationException if undecodable."""
        try:
            parsed = rpc_cbor.parse(self._model, self._body)
        except ValueError as error:
            raise AwsError("SerializationException", "The request could not be decoded.") from error
        return {name: value for name, value in parsed.items() if value is not None}

    def serialize(self, result: Mapping[str, Any], request_id: str) -> WireResponse:
        """The response that carries a result."""
        return WireResponse(200, _CBOR_HEADERS, rpc_cbor.write(self._model.output_shape, result))

    def serialize_error(self, error: AwsError, request_id: str) -> WireResponse:
        """The response that carries an error; CloudWatch tells its old code as well."""
        headers = {**_CBOR_HEADERS, "x-amzn-query-error": f"{error.code};Sender"}
        return WireResponse(error.status or 400, headers, rpc_cbor.write_error(error.code, error.message))


_CBOR_HEADERS = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}


class _WireError(ServiceException):
    """moto looks for errors of its own services by module; this one belongs to none of them."""


def match_operation(service: str, environ: Environ, body: bytes) -> Operation | None:
    """The operation of `service` that a request addresses, or None if it addresses none of them."""
    if environ.get("HTTP_SMITHY_PROTOCOL"):
        return _match_cbor(service, environ, body)
    request = Request({**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
    try:
        model, labels = get_service_router(service).match(request)
        protocol = determine_request_protocol(get_service_model(service), request.content_type)
    except (NotFound, NotImplementedError, UnknownServiceError):
        return None
    if any("/" in str(value) and f"{{{name}+}}" not in model.http["requestUri"] for name, value in labels.items()):
        # The router lets a label run over slashes, so that a longer path of another service fits too.
        return None
    return Operation(model, protocol, request, labels)


def _match_cbor(service: str, environ: Environ, body: bytes) -> Operation | None:
    try:
        model = rpc_cbor.find_operation(get_service_model(service), environ)
    except UnknownServiceError:
        return None
    return CborOperation(model, body, service) if model else None


@functools.cache
def knows_service(service: str) -> bool:
    """Whether botocore has a model of that name."""
    try:
        get_service_model(service)
    except UnknownServiceError:
        return False
    return True


def describe_request(environ: Environ, body: bytes) -> str:
    """A name for a request that no known operation matches: its action, or its method and path."""
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    if target:
        return target.rsplit(".", 1)[-1]
    action = re.search(rb"(?:^|&)Action=([A-Za-z0-9]+)", body[:100_000])
    if action:
        return action.group(1).decode()
    return f"{environ.get('REQUEST_METHOD', 'GET')} {environ.get('PATH_INFO', '/')}"


def serialize_plain_error(environ: Environ, error: AwsError, request_id: str) -> WireResponse:
    """An error for a request without a known operation, in the protocol that the request seems to speak."""
    status = error.status or 400
    if str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded"):
        xml = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(error.code)}</Code>"
            f"<Message>{escape(error.message)}</Message></Error>"
            f"<RequestId>{escape(request_id)}</RequestId></ErrorResponse>"
        )
        return WireResponse(status, {"Content-Type": "text/xml"}, xml.encode())
    content_type = "application/x-amz-json-1.1" if "HTTP_X_AMZ_TARGET" in environ else "application/json"
    body = json_error(error.code, error.message)
    return WireResponse(status, {"Content-Type": content_type, "x-amzn-ErrorType": error.code}, body)


def json_error(code: str, message: str) -> bytes:
    """The body of an error in AWS's JSON protocols."""
    return json.dumps({"__type": code, "message": message}).encode()


class PassedOn:
    """moto's own application, imported when the first call is passed on to it.

    A call keeps the account that the sandbox found for it, so both sides agree on ARNs.
    """

    def __init__(self) -> None:
        self._application: WsgiApplication | None = None
        self._lock = Lock()

    def __call__(self, environ: Environ, body: bytes, account: str) -> WireResponse:
        forwarded = {
            **environ,
            "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_X_MOTO_ACCOUNT_ID": account,
        }
        forwarded.pop("HTTP_TRANSFER_ENCODING", None)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _info: Any = None) -> None:
            started.append((status, headers))

        payload = b"".join(self._load()(forwarded, start_response))
        status, headers = started[-1]
        return WireResponse(int(status.split()[0]), dict(headers), payload)

    def reset(self) -> None:
        """Forget everything that calls made moto remember."""
        with self._lock:
            if self._application is not None:
                from moto.moto_api._internal import moto_api_backend

                moto_api_backend.reset()

    def _load(self) -> WsgiApplication:
        with self._lock:
            if self._application is None:
                os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "false")
                from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

                self._application = DomainDispatcherApplication(create_backend_app)
            return self._application
