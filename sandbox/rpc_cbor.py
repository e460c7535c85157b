"""RPC v2 over CBOR (Smithy), which boto3 speaks with CloudWatch and moto does not know; botocore's own codec.

Private parts of botocore, pinned exactly; nothing of them leaks out of this file.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.parsers import ResponseParserError, RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer

_PATH = re.compile(r"/service/(\w+)/operation/(\w+)")
PROTOCOL = "smithy-rpc-v2-cbor"


def find_operation(model: ServiceModel, environ: Mapping[str, Any]) -> OperationModel | None:
    """The operation that a request addresses; None when it speaks another protocol, or addresses none."""
    if environ.get("HTTP_SMITHY_PROTOCOL") != "rpc-v2-cbor" or PROTOCOL not in model.metadata.get("protocols", ()):
        return None
    found = _PATH.fullmatch(str(environ.get("PATH_INFO", "")))
    if not found or found[1] != model.metadata.get("targetPrefix") or found[2] not in model.operation_names:
        return None
    return model.operation_model(found[2])


def parse(operation: OperationModel, body: bytes) -> dict[str, Any]:
    """The parameters of a request; ValueError when its body can't be decoded."""
    shape = operation.input_shape
    if shape is None or not body:
        return {}
    reader = RpcV2CBORParser()
    try:
        decoded = reader.parse_data_item(io.BufferedReader(io.BytesIO(body)))
        return dict(reader._parse_shape(shape, decoded))
    except (ResponseParserError, AttributeError, TypeError, KeyError) as error:
        raise ValueError("this is no CBOR of that operation") from error


def write(shape: Shape | None, value: Mapping[str, Any]) -> bytes:
    """A result, or a modelled error's members, as CBOR."""
    written = bytearray()
    if shape is None:
        return b"\xa0"
    RpcV2CBORSerializer()._serialize_data_item(written, _fitting(shape, value), shape)
    return bytes(written)


def write_error(code: str, message: str) -> bytes:
    """An error as CBOR: its type and its message."""
    return b"\xa2" + b"".join(_text(part) for part in ("__type", code, "message", message))


def _text(value: str) -> bytes:
    encoded = value.encode()
    return b"\x79" + len(encoded).to_bytes(2, "big") + encoded


def _fitting(shape: Shape, value: Any) -> Any:
    """Values as the codec wants them: floats where doubles are modelled, times as datetimes."""
    if isinstance(shape, StructureShape):
        return {n: _fitting(shape.members[n], v) for n, v in value.items() if v is not None and n in shape.members}
    if isinstance(shape, ListShape):
        return [_fitting(shape.member, entry) for entry in value]
    if isinstance(shape, MapShape):
        return {key: _fitting(shape.value, entry) for key, entry in value.items()}
    if shape.type_name in ("double", "float"):
        return float(value)
    if shape.type_name == "timestamp" and isinstance(value, datetime):
        return value.replace(microsecond=0)
    return value
