"""The approval page: looking changes nothing, deciding happens once, and nothing sent to it breaks it."""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from markupsafe import escape
from prometheus_client import generate_latest

from bot.errors import Conflict
from bot.plan import Check
from tests.email.conftest import BO, Desk

FORM = "application/x-www-form-urlencoded"
JSON = {"accept": "application/json"}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "Robert'); DROP TABLE requests;--",
    "\u202egnp.exe \u2067x",
    "😀" * 200,
    "z" * 10_000,
)


async def state_of(desk: Desk, request_id: str) -> str:
    return (await desk.services.requests.find(request_id)).state


async def test_shows_the_plan_and_who_asked_until_when(desk: Desk) -> None:
    record = await desk.place(checks=(Check("Wood", "ok", "There is enough."), Check("Paint", "waits", "Still wet.")))
    page = await desk.client.get(await desk.link_to(record))
    assert page.status_code == 200
    for shown in (
        "Make the toy rocket",
        "ou-1234-abcd (Root/Toys)",
        "Ana Example",
        "ana@corp.example",
        "Tuesday 24 November 2026, 10:00 UTC",
        "in 48 hours",
        "There is enough.",
        "Still wet.",
        "Name of the toy",
        record.id,
        BO,
        'name="reason"',
        'name="decision" value="approve"',
        'name="decision" value="reject"',
    ):
        assert shown in page.text
    assert '<form method="post"' in page.text


async def test_forbids_caching_framing_scripts_and_onward_referrers(desk: Desk) -> None:
    page = await desk.client.get(await desk.link_to(await desk.place()))
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in page.headers["x-robots-tag"]
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "script" not in page.text


async def test_never_tells_the_token_on(desk: Desk, capfd: pytest.CaptureFixture[str]) -> None:
    link = await desk.link_to(await desk.place())
    token = link.rpartition("/")[2]
    answers = [await desk.client.get(link), await desk.client.post(link, data={"decision": "reject"})]
    answers.append(await desk.client.post(link, data={"decision": "approve"}))
    answers.append(await desk.client.post(link, data={"decision": "approve"}))
    answers.append(await desk.client.get(link, headers=JSON))
    assert [a.status_code for a in answers] == [200, 422, 200, 409, 200]
    for answer in answers:
        assert token not in answer.text
        assert token not in str(answer.headers)
    logged = "".join(capfd.readouterr())
    assert "/account/confirm/{token}" in logged
    assert token not in logged
    assert token not in generate_latest().decode()


@pytest.mark.parametrize("words", HOSTILE)
async def test_escapes_everything_that_people_typed(desk: Desk, words: str) -> None:
    record = await desk.place(name=words, requester_name=words[:190], summary=f"Make {words}")
    page = await desk.client.get(await desk.link_to(record))
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "<img" not in page.text
    assert f"<dd><bdi>{escape(words)}</bdi></dd>" in page.text


async def test_changes_nothing_however_often_scanners_look(desk: Desk) -> None:
    record = await desk.place()
    link = await desk.link_to(record)
    before = await desk.services.requests.find(record.id)
    for _ in range(10):
        for path in (link, f"{link}?decision=approve", f"{link}?decision=reject"):
            seen = await desk.client.get(path)
            peeked = await desk.client.head(path)
            assert (seen.status_code, peeked.status_code) == (200, 200)
            assert peeked.content == b""
            del peeked.headers["x-request-id"], seen.headers["x-request-id"]
            assert peeked.headers == seen.headers
    assert await desk.services.requests.find(record.id) == before


async def test_offers_first_what_the_mail_link_named(desk: Desk) -> None:
    link = await desk.link_to(await desk.place())
    approve, reject = 'class="approve chosen"', 'class="reject chosen"'
    for query, first, other in (
        ("", approve, reject),
        ("?decision=approve", approve, reject),
        ("?decision=reject", reject, approve),
        ("?decision=<script>", approve, reject),
    ):
        page = (await desk.client.get(link + query)).text
        assert first in page
        assert other not in page


async def test_lets_one_of_ten_simultaneous_decisions_count(desk: Desk) -> None:
    record = await desk.place()
    link = await desk.link_to(record)
    sends = (desk.client.post(link, data={"decision": d, "reason": "because"}) for d in ("approve", "reject") * 5)
    answers = await asyncio.gather(*sends)
    assert sorted(a.status_code for a in answers) == [200] + [409] * 9
    winner = next(a for a in answers if a.status_code == 200)
    assert await state_of(desk, record.id) == ("approved" if "You approved" in winner.text else "rejected")


@pytest.mark.parametrize(("decision", "state"), [("approve", "approved"), ("reject", "rejected")])
async def test_tells_afterwards_who_decided_and_when(desk: Desk, decision: str, state: str) -> None:
    record = await desk.place()
    link = await desk.link_to(record)
    desk.clock.advance(hours=1)
    answer = await desk.client.post(link, data={"decision": decision, "reason": "Grüße <b>bold</b>"})
    assert answer.status_code == 200
    assert f"You {state} {record.id}" in answer.text
    assert await state_of(desk, record.id) == state
    again = await desk.client.get(link)
    assert again.status_code == 200
    for shown in (
        f"{record.id} was {state}",
        BO,
        "Sunday 22 November 2026, 11:00 UTC",
        "Grüße &lt;b&gt;bold",
    ):
        assert shown in again.text
    assert "<form" not in again.text


async def test_an_approval_that_adds_nothing_is_told_why_and_not_that_it_is_decided(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def adds_nothing(*_: object, **__: object) -> None:
        raise Conflict("One more approval of yours would add nothing.", next_step="It waits for the others.")

    link = await desk.link_to(await desk.place())
    monkeypatch.setattr(desk.services.approvals, "decide", adds_nothing)
    late = await desk.client.post(link, data={"decision": "approve"})
    assert late.status_code == 409
    assert "would add nothing" in late.text
    assert "decided already" not in late.text


async def test_answers_409_to_every_link_of_a_decided_request(desk: Desk) -> None:
    record = await desk.place()
    used, other = await desk.link_to(record), await desk.link_to(record)
    assert (await desk.client.post(used, data={"decision": "approve"})).status_code == 200
    for link in (used, other):
        late = await desk.client.post(link, data={"decision": "reject", "reason": "no"})
        assert late.status_code == 409
        assert "was approved" in late.text
        assert "<form" not in late.text
        problem = await desk.client.post(link, data={"decision": "approve"}, headers=JSON)
        assert problem.status_code == 409
        assert problem.headers["content-type"] == "application/problem+json"
    assert await state_of(desk, record.id) == "approved"


async def test_says_410_once_the_time_is_over(desk: Desk) -> None:
    record = await desk.place()
    link = await desk.link_to(record)
    desk.clock.advance(hours=49)
    for answer in (await desk.client.get(link), await desk.client.post(link, data={"decision": "approve"})):
        assert answer.status_code == 410
        assert "expired" in answer.text
        assert "<form" not in answer.text
    assert (await desk.client.head(link)).status_code == 410
    assert await state_of(desk, record.id) == "awaiting_approval"


async def test_says_410_when_the_requester_withdrew(desk: Desk) -> None:
    record = await desk.place()
    link = await desk.link_to(record)
    await desk.services.requests.cancel(record.id, record.requester, surface="console")
    for answer in (await desk.client.get(link), await desk.client.post(link, data={"decision": "approve"})):
        assert answer.status_code == 410
        assert "withdrawn" in answer.text


async def test_says_410_when_the_plan_has_changed(desk: Desk) -> None:
    record = await desk.place()
    link = await desk.link_to(record)

    async def work(transaction: Any) -> None:
        await desk.services.requests.move(
            transaction, record.id, ("awaiting_approval",), "awaiting_approval", version=2
        )

    await desk.services.database.write(work)
    for answer in (await desk.client.get(link), await desk.client.post(link, data={"decision": "approve"})):
        assert answer.status_code == 410
        assert "The plan has changed" in answer.text
    assert await state_of(desk, record.id) == "awaiting_approval"


@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "%F0%9F%98%80", "..%2e", "a" * 5000, "%ff", "'--"])
async def test_knows_no_other_tokens(desk: Desk, token: str) -> None:
    await desk.place()
    path = f"/account/confirm/{token}"
    for answer in (
        await desk.client.get(path),
        await desk.client.post(path, data={"decision": "approve"}),
        await desk.client.post(path),
        await desk.client.post(path, content=b"\xff", headers={"content-type": FORM}),
    ):
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")
    assert (await desk.client.head(path)).status_code == 404
    assert (await desk.client.get(path, headers=JSON)).json()["status"] == 404


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "nonsense", ""])
async def test_refuses_decisions_sent_from_elsewhere(desk: Desk, site: str) -> None:
    record = await desk.place()
    for path in (await desk.link_to(record), "/account/confirm/unknown"):
        answer = await desk.client.post(path, data={"decision": "approve"}, headers={"sec-fetch-site": site})
        assert answer.status_code == 403
    assert await state_of(desk, record.id) == "awaiting_approval"


async def test_takes_decisions_from_its_own_page(desk: Desk) -> None:
    link = await desk.link_to(await desk.place())
    own = {"sec-fetch-site": "same-origin"}
    assert (await desk.client.post(link, data={"decision": "approve"}, headers=own)).status_code == 200


async def test_asks_for_a_reason_before_it_rejects(desk: Desk) -> None:
    record = await desk.place()
    link = await desk.link_to(record)
    for reason in ("", "   \n ", "\u0000\u202e"):
        answer = await desk.client.post(link, data={"decision": "reject", "reason": reason})
        assert answer.status_code == 422
        assert "Say why" in answer.text
        assert 'class="reject chosen"' in answer.text
        assert 'aria-invalid="true"' in answer.text
    assert await state_of(desk, record.id) == "awaiting_approval"


async def test_gives_a_reason_that_is_too_long_back_to_shorten(desk: Desk) -> None:
    record = await desk.place()
    link = await desk.link_to(record)
    reason = "</textarea>" + "ü" * 990
    answer = await desk.client.post(link, data={"decision": "reject", "reason": reason})
    assert answer.status_code == 422
    assert "1,001 characters" in answer.text
    assert "&lt;/textarea&gt;" + "ü" * 990 in answer.text
    assert (await desk.client.post(link, data={"decision": "reject", "reason": reason[1:]})).status_code == 200


async def test_counts_a_line_end_of_a_browser_as_one_character(desk: Desk) -> None:
    link = await desk.link_to(await desk.place())
    answer = await desk.client.post(link, data={"decision": "reject", "reason": "a\r\n" * 400 + "b" * 200})
    assert answer.status_code == 200


BAD_BODIES = (
    (FORM, b"", 422),
    (FORM, b"decision=", 422),
    (FORM, b"decision=maybe", 422),
    (FORM, b"decision=APPROVE", 422),
    (FORM, b"decision=approve&decision=reject", 422),
    (FORM, b"decision=approve&reason=a&reason=b", 422),
    (FORM, b"decision=approve&reason=%ff%fe", 422),
    (FORM, b"\xff\xfe", 422),
    (FORM, b"&".join(b"a=b" for _ in range(100)), 422),
    ("", b"", 422),
    ("", b"decision=approve", 415),
    ("text/plain", b"decision=approve", 415),
    ("application/xml", b"<decision>approve</decision>", 415),
    ("application/json", b"", 422),
    ("application/json", b"{", 422),
    ("application/json", b"\xff", 422),
    ("application/json", b"[]", 422),
    ("application/json", b"null", 422),
    ("application/json", b'"approve"', 422),
    ("application/json", b'{"decision": 1}', 422),
    ("application/json", b'{"decision": ["approve"]}', 422),
    ("application/json", b'{"decision": "approve", "reason": {}}', 422),
    ("application/json", b'{"decision": "reject", "reason": "\\ud800"}', 422),
    ("application/json", b"[" * 60_000, 422),
    ("application/json", b'{"decision": "approve", "n": ' + b"9" * 10_000 + b"}", 422),
    ("multipart/form-data", b"x", 422),
    ("multipart/form-data; boundary=b", b"--b\r\nnonsense", 422),
    ("multipart/form-data; boundary=\xff", b"--b", 422),
    (FORM, b"decision=approve&reason=" + b"x" * 70_000, 413),
)


@pytest.mark.parametrize(("kind", "body", "status"), BAD_BODIES)
async def test_says_what_is_wrong_with_a_body(desk: Desk, kind: str, body: bytes, status: int) -> None:
    record = await desk.place()
    link = await desk.link_to(record)
    headers: dict[str, Any] = {"content-type": kind.encode("latin-1")} if kind else {}
    for accept in ("text/html", "application/json"):
        answer = await desk.client.post(link, content=body, headers={**headers, "accept": accept})
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith(
            "application/problem+json" if accept == "application/json" else "text/html"
        )
    assert await state_of(desk, record.id) == "awaiting_approval"


async def test_decides_by_json_and_answers_in_json(desk: Desk) -> None:
    record = await desk.place()
    link = await desk.link_to(record)
    seen = (await desk.client.get(link, headers=JSON)).json()
    assert (seen["status"], seen["decision"], seen["digest"]) == ("open", None, record.digest)
    wrong = await desk.client.post(link, json={"decision": "reject"})
    assert wrong.headers["content-type"] == "application/problem+json"
    assert (wrong.json()["status"], wrong.json()["field"]) == (422, "reason")
    done = await desk.client.post(link, json={"decision": "reject", "reason": "too red", "unknown": 1})
    assert done.status_code == 200
    assert done.json()["request"] == {"id": record.id, "state": "rejected"}
    assert (done.json()["decided_by"], done.json()["reason"]) == (BO, "too red")


async def test_takes_multipart_forms(desk: Desk) -> None:
    link = await desk.link_to(await desk.place())
    answer = await desk.client.post(link, files={"decision": (None, "approve"), "reason": (None, "fine")})
    assert answer.status_code == 200


async def test_refuses_a_requester_who_is_asked_to_approve(desk: Desk) -> None:
    record = await desk.place(requester="ana@corp.example")
    link = await desk.link_to(record)
    await desk.services.database.write(lambda t: take_over(t, record.id))
    answer = await desk.client.post(link, data={"decision": "approve"})
    assert answer.status_code == 403
    assert await state_of(desk, record.id) == "awaiting_approval"


async def take_over(transaction: Any, request_id: str) -> None:
    """Make the requester the approver, as a directory that was edited meanwhile could."""
    await transaction.connection.exec_driver_sql(
        "update approvals set approver = 'ana@corp.example' where request_id = ?", (request_id,)
    )


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "text/html"),
        ("*/*", "text/html"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("application/json", "application/json"),
        ("application/json;q=0.9, text/html;q=0.1", "application/json"),
        ("application/*;q=0.2, text/*;q=0.9", "text/html"),
        ("application/json;q=nonsense", "text/html"),
        (";;;,,,=", "text/html"),
        ("application/json;q=1e400", "application/json"),
    ],
)
async def test_answers_in_the_form_that_the_client_prefers(desk: Desk, accept: str, expected: str) -> None:
    answer = await desk.client.get(await desk.link_to(await desk.place()), headers={"accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == expected


async def test_documents_every_answer(desk: Desk) -> None:
    described = (await desk.client.get("/openapi.json")).json()["paths"]["/account/confirm/{token}"]
    assert set(described) == {"get", "head", "post"}
    assert set(described["post"]["responses"]) == {"200", "403", "404", "409", "410", "413", "415", "422"}
    assert set(described["post"]["requestBody"]["content"]) == {
        FORM,
        "multipart/form-data",
        "application/json",
    }
    assert set(described["get"]["responses"]) == {"200", "404", "410", "422"}
    assert set(described["get"]["responses"]["200"]["content"]) == {"text/html", "application/json"}
    assert json.dumps(described)


async def test_takes_no_decision_from_the_address(desk: Desk) -> None:
    record = await desk.place()
    link = await desk.link_to(record)
    answer = await desk.client.post(f"{link}?{urlencode({'decision': 'approve'})}")
    assert answer.status_code == 422
    assert await state_of(desk, record.id) == "awaiting_approval"


async def test_survives_a_client_that_breaks_off(desk: Desk) -> None:
    record = await desk.place()
    link = await desk.link_to(record)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    transport = desk.client._transport
    assert isinstance(transport, httpx.ASGITransport)
    scope = {
        "type": "http",
        "method": "POST",
        "path": link,
        "raw_path": link.encode(),
        "query_string": b"",
        "headers": [(b"content-type", FORM.encode())],
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await transport.app(scope, receive, send)
    assert sent[0]["status"] == 422
    assert await state_of(desk, record.id) == "awaiting_approval"
