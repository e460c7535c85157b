"""Breaking the glass in the console: by who may, after signing in anew, with a reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.console.stage import Stage, started


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    directory = tmp_path / "people.yml"
    directory.write_text("people: [{email: gil@corp.example, groups: [break-glass]}]", encoding="utf-8")
    async with started(Stage(tmp_path, directory_file=directory)) as stage:
        yield stage


async def test_a_named_person_signs_in_anew_and_says_why(stage: Stage) -> None:
    record = await stage.ask("ana@corp.example")
    page = f"/requests/{record.id}/break-glass"
    async with stage.visitor() as gil:
        await gil.become("gil@corp.example")
        assert page in (await gil.see(f"/requests/{record.id}")).text
        shown = await gil.see(page)
        assert "Sign in anew first" in shown.text
        refused = await gil.submit(page, version="1", reason="The site is down")
        assert refused.status_code == 403
        person = await stage.person("gil@corp.example")
        assert (await stage.services.requests.find(record.id)).state == "awaiting_approval"
        again = shown.text.partition('href="/signin?')[2].partition('"')[0].replace("&amp;", "&")
        await gil.see(f"/signin?{again}")
        await gil.submit("/signin/dev", email=person.email, again="yes", next=page)
        await gil.see(page)
        assert (await gil.submit(page, version="1", reason="")).status_code == 422
        done = await gil.submit(page, version="1", reason="The site <b>is</b> down")
        assert done.status_code == 303
        told = (await gil.see(f"/requests/{record.id}")).text
        assert "The site <b>" not in told
        assert "gil@corp.example broke the glass" in told
    assert (await stage.services.requests.find(record.id)).state == "approved"


async def test_it_is_reviewed_on_a_page_by_somebody_else(stage: Stage) -> None:
    record = await stage.ask("ana@corp.example")
    async with stage.visitor() as gil, stage.visitor() as approver, stage.visitor() as eve:
        await gil.become("gil@corp.example")
        page = f"/requests/{record.id}/break-glass"
        await gil.submit("/signin/dev", email="gil@corp.example", again="yes", next=page)
        await gil.see(page)
        assert (await gil.submit(page, version="1", reason="<b>Down</b>")).status_code == 303
        assert "Somebody else has to review it" in (await gil.see("/reviews")).text
        assert (await gil.submit(f"/reviews/{record.id}", verdict="fine")).status_code == 403
        await eve.become("eve@corp.example")
        assert record.id not in (await eve.see("/reviews")).text
        assert (await eve.submit(f"/reviews/{record.id}", verdict="fine")).status_code == 404
        await approver.become("approver@corp.example")
        shown = (await approver.see("/reviews")).text
        assert "&lt;b&gt;Down&lt;/b&gt;" in shown
        assert (await approver.submit(f"/reviews/{record.id}", verdict="")).status_code == 422
        assert (await approver.submit(f"/reviews/{record.id}", verdict="Rightly so")).status_code == 303
        assert "Nothing waits" in (await approver.see("/reviews")).text
        assert (await approver.submit(f"/reviews/{record.id}", verdict="again")).status_code == 409
    found = await stage.services.approvals.glass.of(record.id)
    assert found is not None
    assert (found.reviewed_by, found.verdict) == ("approver@corp.example", "Rightly so")


async def test_nobody_else_is_offered_it(stage: Stage) -> None:
    record = await stage.ask("ana@corp.example")
    async with stage.visitor() as ana:
        await ana.become("ana@corp.example")
        assert "break-glass" not in (await ana.see(f"/requests/{record.id}")).text
        page = await ana.get(f"/requests/{record.id}/break-glass")
        assert page.status_code == 403
        assert "break-glass may go on without approvers" in page.text
