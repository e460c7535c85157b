"""teams/manifest.json is what Microsoft's schema asks for, and the package what Teams takes."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from adapters.lex.engine import Engine
from bot import __version__
from bot.clock import SystemClock
from bot.commands.teams_package import ICONS, MANIFEST, manifest, write
from bot.errors import SettingsError
from bot.lexshape import lex_definition
from bot.main import build_cloud, build_services, discover
from bot.settings import load_settings
from tools.teams_icons import FOLDER, draw

ROOT = Path(__file__).parents[2]
VENDORED = ROOT / "third_party" / "teams"
APP, URL = "01234567-89ab-cdef-0123-456789abcdef", "https://ops.corp.example"


@pytest.fixture(scope="module")
def declared() -> dict[str, Any]:
    """The manifest as it lies in the repository."""
    found: dict[str, Any] = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return found


def test_it_has_the_shape_that_microsoft_asks_for(declared: dict[str, Any]) -> None:
    schema = json.loads((VENDORED / "manifest.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema_rs.validator_for(schema)
    for found in (declared, manifest(APP, URL)):
        assert [error.message for error in validator.iter_errors(found)] == []
    assert not validator.is_valid(declared | {"accentColor": "blue"})


def test_the_schema_is_microsofts_own() -> None:
    digest = hashlib.sha256((VENDORED / "manifest.schema.json").read_bytes()).hexdigest()
    assert f"`{digest}`" in (VENDORED / "README.md").read_text(encoding="utf-8")


def test_it_serves_people_wherever_they_write(declared: dict[str, Any]) -> None:
    (bot,) = declared["bots"]
    assert set(bot["scopes"]) == {"personal", "team", "groupChat"}
    assert set(declared["supportedChannelTypes"]) == {"sharedChannels", "privateChannels"}
    assert declared["version"] == __version__


def test_every_command_that_it_offers_is_understood(declared: dict[str, Any], tmp_path: Path) -> None:
    settings = load_settings(aws_endpoint_url="http://127.0.0.1:1", var_dir=tmp_path)
    engine = Engine(lex_definition(discover(build_services(settings, SystemClock(), build_cloud(settings)))))
    for commands in declared["bots"][0]["commandLists"]:
        for number, command in enumerate(commands["commands"]):
            if command["title"] != "help":  # which the dialogue answers itself
                heard = engine.recognize_text(session_id=f"command-{number}", text=command["title"])
                assert heard["sessionState"]["intent"]["name"] != "FallbackIntent", command["title"]


def size_of(png: bytes) -> tuple[int, int]:
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize(("name", "size"), [("color.png", 192), ("outline.png", 32)])
def test_icons_have_the_sizes_that_teams_asks_for(name: str, size: int) -> None:
    png = (FOLDER / name).read_bytes()
    assert size_of(png) == (size, size)
    rows = zlib.decompress(png[png.index(b"IDAT") + 4 : png.index(b"IEND") - 8])
    pixels = [
        rows[n : n + 4]
        for line in range(size)
        for n in range(line * (size * 4 + 1) + 1, (line + 1) * (size * 4 + 1), 4)
    ]
    if name == "outline.png":
        assert {pixel[:3] for pixel in pixels} == {b"\xff\xff\xff"}, "white, and what is not is transparent"
        assert {pixel[3] for pixel in pixels} >= {0, 255}
    else:
        assert {pixel[3] for pixel in pixels} == {255}
    assert draw(32, (255, 255, 255), (0, 0, 0, 0)) == (FOLDER / "outline.png").read_bytes()


def test_the_package_holds_the_manifest_and_the_icons_at_its_root(tmp_path: Path) -> None:
    out = tmp_path / "made" / "app.zip"
    command = [sys.executable, "-m", "bot", "teams", "package", "--app-id", APP, "--url", URL, "--out", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    first = out.read_bytes()
    write(out, APP.upper(), URL)
    assert out.read_bytes() == first
    with zipfile.ZipFile(out) as package:
        assert sorted(package.namelist()) == sorted(["manifest.json", *ICONS])
        told = json.loads(package.read("manifest.json"))
    assert (told["id"], told["bots"][0]["botId"], told["validDomains"]) == (APP, APP, ["ops.corp.example"])
    assert "example.com" not in json.dumps(told)


@pytest.mark.parametrize(
    ("app_id", "url"),
    [("", URL), ("my-bot", URL), (APP, ""), (APP, "http://ops.corp.example"), (APP, "ops.corp.example")],
)
def test_without_an_id_or_a_public_address_there_is_no_package(app_id: str, url: str) -> None:
    with pytest.raises(SettingsError):
        manifest(app_id, url)
