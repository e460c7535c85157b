"""Kinds of values that settings have: lists with commas, addresses, receivers, providers."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from bot.directory_file import checked_address


def _listed(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _addresses(listed: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(checked_address(address) for address in listed))


CONVERSATION = "conversation:"
"""How REPORT_TO marks the id of a conversation, such as a channel's; what has no mark is an address."""


def _receivers(listed: tuple[str, ...]) -> tuple[str, ...]:
    for receiver in listed:
        if receiver.startswith(CONVERSATION) and not re.fullmatch(r"\S{1,255}", receiver.removeprefix(CONVERSATION)):
            raise ValueError(f"{receiver!r} names no conversation; write {CONVERSATION} and its id")
    found = (r if r.startswith(CONVERSATION) else checked_address(r) for r in listed)
    return tuple(dict.fromkeys(found))


SNS_HOSTS = ("sns.*.amazonaws.com", "sns.*.amazonaws.com.cn")
SANDBOX_TOPICS = tuple(
    f"arn:aws:sns:{region}:333344445555:quartermaster-insights" for region in ("us-east-1", "eu-central-1")
)
"""The topics to which DevOps Guru publishes in the sandbox, of its delegated administrator."""

CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
Addresses = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_addresses)]
Receivers = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_receivers)]
Address = Annotated[str, AfterValidator(checked_address)]
INSIGHT_PROVIDERS = ("devops-guru", "cloudwatch")


def _providers(listed: tuple[str, ...]) -> tuple[str, ...]:
    for name in listed:
        if name not in INSIGHT_PROVIDERS:
            raise ValueError(f"{name!r} is none of {' and '.join(INSIGHT_PROVIDERS)}")
    if not listed:
        raise ValueError(f"name {' or '.join(INSIGHT_PROVIDERS)}, or both")
    return tuple(dict.fromkeys(listed))


Providers = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_providers)]
