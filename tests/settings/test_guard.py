"""Who counts as the newcomer on their own machine: every way of looking local from afar is tried."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from bot.guard import is_newcomer
from bot.settings import Settings, load_settings

EMBEDDED = load_settings(aws_endpoint_url="http://127.0.0.1:8001")


def request_from(peer: str = "127.0.0.1", **headers: str) -> Request:
    headers.setdefault("host", "127.0.0.1:8000")
    raw = [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "client": (peer, 1), "headers": raw})


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "127.0.0.1"])
def test_a_local_browser_is_the_newcomer(host: str) -> None:
    assert is_newcomer(EMBEDDED, request_from(host=host))


@pytest.mark.parametrize(
    "headers",
    [
        {"x_forwarded_for": "127.0.0.1"},
        {"x_forwarded_host": "127.0.0.1"},
        {"x_forwarded_proto": "http"},
        {"forwarded": "for=127.0.0.1"},
        {"x_real_ip": "127.0.0.1"},
        {"x_forwarded": "for=127.0.0.1"},
        {"x_original_host": "qm.corp.example"},
        {"x_original_forwarded_for": "127.0.0.1"},
        {"x_client_ip": "127.0.0.1"},
        {"x_cluster_client_ip": "127.0.0.1"},
        {"x_envoy_external_address": "127.0.0.1"},
        {"x_remote_ip": "127.0.0.1"},
        {"x_host": "qm.corp.example"},
        {"x_azure_clientip": "127.0.0.1"},
        {"cf_ray": "1"},
        {"fly_client_ip": "127.0.0.1"},
        {"tailscale_user_login": "eve"},
        {"via": "1.1 tunnel"},
        {"cf_connecting_ip": "127.0.0.1"},
        {"true_client_ip": "127.0.0.1"},
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "localhost.evil.example:8000"},
        {"host": ""},
    ],
)
def test_tunnels_proxies_and_rebound_names_are_strangers(headers: dict[str, str]) -> None:
    assert not is_newcomer(EMBEDDED, request_from(**headers))


def test_another_machine_is_a_stranger() -> None:
    assert not is_newcomer(EMBEDDED, request_from(peer="192.168.1.5"))


@pytest.mark.parametrize(
    "settings",
    [
        load_settings(smtp_url="smtp://m", approvers="bo@corp.example", mail_from="qm@corp.example"),
        load_settings(
            aws_endpoint_url="http://127.0.0.1:8001", host="0.0.0.0", api_keys="long-key-1", smtp_url="smtp://m"
        ),
        load_settings(
            aws_endpoint_url="http://127.0.0.1:8001",
            public_url="https://qm.corp.example",
            api_keys="long-key-1",
            smtp_url="smtp://m",
        ),
    ],
)
def test_there_is_no_newcomer_outside_the_embedded_default(settings: Settings) -> None:
    assert not is_newcomer(settings, request_from())
