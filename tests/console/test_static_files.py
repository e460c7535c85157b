"""What browsers load beside the pages."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from adapters.console.pages import VENDORED, Assets
from tests.console.stage import Stage


async def test_serves_every_file_that_the_pages_name(stage: Stage) -> None:
    async with stage.visitor() as ana:
        page = (await ana.get("/")).text
        addresses = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
        kinds = {a.rpartition(".")[2]: (await ana.get(a)) for a in addresses}
    assert set(kinds) == {"css", "js", "svg"}
    for answer in kinds.values():
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert "set-cookie" not in answer.headers
    assert kinds["js"].headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("path", ["/static/x/console.css", "/static/..%2f..%2fconsole/pages.py", "/static/a/../b"])
async def test_serves_nothing_else(stage: Stage, path: str) -> None:
    async with stage.visitor() as ana:
        assert (await ana.get(path)).status_code == 404


def test_names_files_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("one")
    before = Assets({"console": tmp_path}).url("console", "a.css")
    assert Assets({"console": tmp_path}).url("console", "a.css") == before
    (tmp_path / "a.css").write_text("two")
    assert Assets({"console": tmp_path}).url("console", "a.css") != before


def test_ships_htmx_as_its_authors_did() -> None:
    readme = (VENDORED / "README.md").read_text()
    digest = hashlib.sha256((VENDORED / "htmx.min.js").read_bytes()).hexdigest()
    version = re.search(r"# htmx (\S+)", readme)
    assert version is not None
    assert f"`{digest}`" in readme
    assert f"'{version[1]}'" in (VENDORED / "htmx.min.js").read_text().replace('"', "'")
    assert "Zero-Clause BSD" in (VENDORED / "LICENSE").read_text()
