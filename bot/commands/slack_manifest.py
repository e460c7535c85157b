"""Prints the Slack app's manifest for this installation, to be pasted at Slack."""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import urlsplit

import yaml

from bot.database.migrating import ROOT
from bot.errors import SettingsError

MANIFEST = ROOT / "slack-manifest.yml"
EXAMPLE = "https://quartermaster.example.com"
"""The address that stands in the file."""


def show(url: str, *, socket: bool, oauth: bool) -> int:
    """Print the manifest; raises SettingsError when an address is needed and is missing or no https one."""
    yaml.safe_dump(
        manifest(url, socket=socket, oauth=oauth), sys.stdout, sort_keys=False, allow_unicode=True, width=100
    )
    return 0


def manifest(url: str, *, socket: bool = False, oauth: bool = False) -> dict[str, Any]:
    """Return the manifest for a public address, for Socket Mode, and for several workspaces (OAuth)."""
    if oauth or not socket:
        parsed = urlsplit(url)
        if parsed.scheme != "https" or not parsed.hostname or parsed.query or parsed.fragment:
            raise SettingsError(
                f"Slack needs the bot's public https address; it is {url!r}.",
                next_step="Give it with --url or PUBLIC_URL, or use --socket, which needs none.",
            )
    text = MANIFEST.read_text(encoding="utf-8").replace(EXAMPLE, url.rstrip("/"))
    found: dict[str, Any] = yaml.safe_load(text)
    settings = found["settings"]
    if socket:
        settings["socket_mode_enabled"] = True
        for place in (*found["features"]["slash_commands"], settings["event_subscriptions"], settings["interactivity"]):
            place.pop("url", None)
            place.pop("request_url", None)
    if oauth:
        settings["org_deploy_enabled"] = settings["token_rotation_enabled"] = True
    else:
        del found["oauth_config"]["redirect_urls"]
    return found
