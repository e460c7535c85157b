"""Writes the Teams app's package for this installation, to be uploaded in the Teams admin center."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot import __version__
from bot.database.migrating import ROOT
from bot.errors import SettingsError

FOLDER = ROOT / "teams"
MANIFEST = FOLDER / "manifest.json"
EXAMPLE, NO_ID = "quartermaster.example.com", "00000000-0000-0000-0000-000000000000"
"""The host and the ids that stand in the file."""
ICONS = ("color.png", "outline.png")
DATE = (1980, 1, 1, 0, 0, 0)
"""Of the files in the package, so that the same settings make the same bytes."""


def write(path: Path, app_id: str, url: str) -> int:
    """Write the package and say where; raises SettingsError when the id or the address will not do."""
    text = json.dumps(manifest(app_id, url), indent=2, ensure_ascii=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(zipfile.ZipInfo("manifest.json", DATE), text.encode())
        for name in ICONS:
            package.writestr(zipfile.ZipInfo(name, DATE), (FOLDER / name).read_bytes())
    print(f"{path}: upload it in the Teams admin center, Manage apps.")
    return 0


def manifest(app_id: str, url: str) -> dict[str, Any]:
    """Return the manifest for an app's id and the bot's public address."""
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", app_id) or app_id == NO_ID:
        raise SettingsError(
            f"The package needs the app's id; it is {app_id!r}.", next_step="Give it with --app-id or TEAMS_APP_ID."
        )
    parsed = urlsplit(url)
    if parsed.scheme != "https" or not parsed.hostname or parsed.query or parsed.fragment:
        raise SettingsError(
            f"Teams needs the bot's public https address; it is {url!r}.",
            next_step="Give it with --url or PUBLIC_URL.",
        )
    text = MANIFEST.read_text(encoding="utf-8").replace(NO_ID, app_id.lower())
    found: dict[str, Any] = json.loads(text.replace(f"https://{EXAMPLE}", url.rstrip("/")))
    return {**found, "version": __version__, "validDomains": [parsed.netloc]}
