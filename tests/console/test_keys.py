"""People's own keys in the console: shown once, kept as digests, gone when revoked; and the days they are away."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from bot.database.tables import api_keys
from bot.keys import MOST
from tests.console.stage import Stage

SECRET = re.compile(r"qm_[A-Za-z0-9_-]{43}")


async def test_shows_a_key_once_and_keeps_its_digest(stage: Stage) -> None:
    async with stage.visitor() as ana:
        await ana.see("/keys")
        made = await ana.submit("/keys", name="Nightly", days="30", **{"scope-read": "yes", "scope-ask": "yes"})
        (secret,) = SECRET.findall(made.text)
        later = await ana.see("/keys")
        assert secret not in later.text
        assert "Nightly" in later.text
        async with stage.services.database.read() as connection:
            (row,) = (await connection.execute(select(api_keys))).all()
        assert secret not in str(row)
        assert row.scopes == ["ask", "read"]
        assert await stage.services.keys.find(secret)
        await ana.submit(f"/keys/{row.id}/revoke")
        assert await stage.services.keys.find(secret) is None
        assert "revoked" in (await ana.get("/keys")).text
    kinds = [entry["kind"] for entry in (await stage.services.audit.list()).items]
    assert kinds == ["key.revoked", "key.made"]
    assert secret not in str((await stage.services.audit.list()).items)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "", "days": "30", "scope-read": "yes"}, "Give the key a name"),
        ({"name": "x", "days": "30"}, "Choose what the key may do"),
        ({"name": "x", "days": "9999", "scope-read": "yes"}, "how long the key lasts"),
        ({"name": "x", "days": "-1", "scope-read": "yes"}, "how long the key lasts"),
        ({"name": "x", "days": "30", "scope-everything": "yes"}, "Choose what the key may do"),
    ],
)
async def test_makes_no_key_without_name_scope_and_end(stage: Stage, fields: dict[str, str], said: str) -> None:
    async with stage.visitor() as ana:
        await ana.see("/keys")
        answer = await ana.submit("/keys", **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert not SECRET.search(answer.text)


async def test_operators_see_and_revoke_keys_of_others_and_nobody_else_does(stage: Stage) -> None:
    ana = await stage.person("ana@corp.example")
    key, secret = await stage.services.keys.make(ana, "Nightly", ["read"], 30)
    other, _ = await stage.services.keys.make(await stage.person("bo@corp.example"), "Weekly", ["read"], 30)
    async with stage.visitor() as approver, stage.visitor() as olga:
        await approver.become("approver@corp.example")
        assert "Keys of others" not in (await approver.see("/keys")).text
        assert (await approver.submit(f"/keys/{key.id}/revoke")).status_code == 404
        await olga.become("olga@corp.example")
        assert "Nightly" in (await olga.see("/keys")).text
        narrowed = (await olga.see("/keys?person=ANA@corp.example")).text
        assert "Nightly" in narrowed
        assert "Weekly" not in narrowed
        assert secret not in narrowed
        assert (await olga.submit(f"/keys/{key.id}/revoke")).status_code == 303
        assert (await olga.submit(f"/keys/{key.id}/revoke")).status_code == 404
    assert await stage.services.keys.find(secret) is None
    (row,) = (await stage.services.audit.list(kind="key.revoked")).items
    assert (row["payload"], row["person"]) == ({"key": key.id, "of": ana.id}, "olga@corp.example")
    assert other.is_live(stage.clock.wall())


async def test_holds_the_number_of_keys_down(stage: Stage) -> None:
    ana = await stage.person("ana@corp.example")
    for number in range(MOST):
        await stage.services.keys.make(ana, f"Key {number}", ["read"], 7)
    async with stage.visitor() as visitor:
        await visitor.see("/keys")
        assert (await visitor.submit("/keys", name="More", days="7", **{"scope-read": "yes"})).status_code == 409


async def test_says_who_stands_in_and_takes_it_back(stage: Stage) -> None:
    async with stage.visitor() as bo:
        await bo.become("approver@corp.example")
        await bo.see("/away")
        assert (await bo.submit("/away", delegate="olga@corp.example")).status_code == 422  # no end
        wrong = await bo.submit("/away", delegate="nobody", until="2026-03-31")
        assert wrong.status_code == 422
        assert 'value="2026-03-31"' in wrong.text  # what was typed is still there
        assert (await bo.submit("/away", delegate="olga@corp.example", until="2026-03-31")).status_code == 303
        page = await bo.see("/away")
        assert "olga@corp.example" in page.text
        (found,) = await stage.services.approvals.delegations.concerning(await stage.person("olga@corp.example"))
        assert found.until.isoformat() == "2026-04-01T00:00:00+00:00"
        await bo.submit(f"/away/{found.id}/end")
        assert "have not said" in (await bo.get("/away")).text


async def test_operators_say_that_somebody_else_is_away_and_nobody_else_can(stage: Stage) -> None:
    fields = {"absent": "approver@corp.example", "delegate": "cy@corp.example", "until": "2026-03-31"}
    async with stage.visitor() as ana, stage.visitor() as olga:
        assert "Who is away" not in (await ana.see("/away")).text
        refused = await ana.submit("/away", **fields)
        assert refused.status_code == 403
        await olga.become("olga@corp.example")
        assert "Who is away" in (await olga.see("/away")).text
        own = await olga.submit("/away", **{**fields, "delegate": "olga@corp.example"})
        assert (own.status_code, "take the place" in own.text) == (422, True)
        assert (await olga.submit("/away", **fields)).status_code == 303
        page = await olga.see("/away")
        assert "said by olga@corp.example" in page.text
        (made,) = await stage.services.approvals.delegations.concerning(await stage.person("cy@corp.example"))
        assert (await ana.submit(f"/away/{made.id}/end")).status_code == 404
        assert (await olga.submit(f"/away/{made.id}/end")).status_code == 303
    kinds = [(entry["kind"], entry["payload"].get("absent")) for entry in (await stage.services.audit.list()).items]
    assert kinds == [("delegation.ended", "approver@corp.example"), ("delegation.named", "approver@corp.example")]
