"""Settings of Teams: off without them, clear errors for half of them, nothing loaded while it is off."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.settings import load_settings

APP, TENANT = "01234567-89ab-cdef-0123-456789abcdef", "11111111-2222-3333-4444-555555555555"
ALL = {"teams_app_id": APP, "teams_app_secret": "a-secret", "teams_tenant_id": TENANT}
SANDBOX = {"aws_endpoint_url": "http://127.0.0.1:1"}


def test_teams_is_off_without_its_settings_and_on_with_them() -> None:
    assert not load_settings(**SANDBOX).uses_teams
    assert load_settings(**SANDBOX, **ALL).uses_teams


def test_the_apps_own_tenant_is_served_when_none_is_named() -> None:
    assert load_settings(**SANDBOX, **ALL).teams_allowed_tenants == (TENANT,)
    assert load_settings(**SANDBOX, **ALL, teams_allowed_tenants=f"{APP},{TENANT}").teams_allowed_tenants == (
        APP,
        TENANT,
    )


@pytest.mark.parametrize("name", list(ALL))
def test_half_of_the_settings_is_refused_and_the_missing_one_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name.upper()):
        load_settings(**SANDBOX, **{**ALL, name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("teams_app_id", "my-bot"),
        ("teams_tenant_id", "corp.example"),
        ("teams_allowed_tenants", f"{TENANT},*"),
        ("teams_service_urls", "http://smba.trafficmanager.net/"),
        ("teams_service_urls", "smba.trafficmanager.net"),
        ("teams_service_urls", ","),
        ("teams_login_url", "http://login.example/"),
        ("teams_openid_url", "ftp://login.example/"),
        ("teams_openid_url", "https://user@login.example/"),
    ],
)
def test_what_is_malformed_or_unsafe_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name.upper()):
        load_settings(**SANDBOX, **{**ALL, name: value})


def test_while_teams_is_off_none_of_it_is_loaded(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from types import SimpleNamespace\n"
        "import adapters.teams\n"
        "channel = adapters.teams.build(SimpleNamespace(settings=SimpleNamespace(uses_teams=False)))\n"
        "assert channel.router is None and not channel.senders\n"
        "loaded = [n for n in sys.modules if n == 'jwt' or n.startswith('adapters.teams.')]\n"
        "assert not loaded, loaded\n"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", program], cwd=root, check=True, timeout=60)
