"""Groups of Entra, read from Microsoft Graph: users alone, page by page, and the token goes nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from adapters.teams.groups import EntraGroups
from bot.errors import NotFound, Unavailable
from tests.teams.conftest import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
GROUP = "11111111-2222-3333-4444-555555555555"


@pytest_asyncio.fixture(loop_scope="module")
async def groups(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EntraGroups]:
    """What reads the groups of the scene's tenant."""
    services = scene.stage.application.services
    monkeypatch.setitem(vars(services.settings), "teams_graph_url", f"{scene.framework.url}/graph/")
    async with httpx.AsyncClient() as http:
        yield EntraGroups(services, http)


def known(scene: Scene, email: str, **more: Any) -> dict[str, Any]:
    """Return what Graph tells of a user with that address."""
    return scene.tenant.in_graph(scene.tenant.member(email), **more)


async def test_users_of_all_pages_count_and_guests_closed_accounts_and_devices_do_not(
    scene: Scene, groups: EntraGroups
) -> None:
    scene.tenant.groups[GROUP] = [
        known(scene, "Cy@corp.example"),
        known(scene, "dee@corp.example", mail=None),
        known(scene, "gus@elsewhere.example", userType="Guest"),
        known(scene, "gia@elsewhere.example", userPrincipalName="gia_elsewhere.example#EXT#@corp.example"),
        known(scene, "eve@corp.example", accountEnabled=False),
        {"@odata.type": "#microsoft.graph.device", "id": "1", "userPrincipalName": "device@corp.example"},
    ]
    assert await groups.members(GROUP) == ("cy@corp.example", "dee@corp.example")
    assert scene.tenant.graph_tokens, "the token is one for Graph"
    assert not scene.tenant.graph_tokens & scene.tenant.tokens


async def test_who_is_known_by_an_object_id_counts_as_that_person_whatever_the_mail_says(
    scene: Scene, groups: EntraGroups
) -> None:
    people, ana = scene.stage.application.services.people, scene.member()
    await people.link(
        "teams", f"{scene.tenant.id}/{ana.told['aadObjectId']}", await people.of_email("ana@corp.example")
    )
    scene.tenant.groups[GROUP] = [scene.tenant.in_graph(ana.told, mail="boss@corp.example")]
    assert await groups.members(GROUP) == ("ana@corp.example",)


async def test_what_graph_does_not_tell_is_no_empty_group(scene: Scene, groups: EntraGroups) -> None:
    with pytest.raises(NotFound):
        await groups.members("99999999-2222-3333-4444-555555555555")
    scene.tenant.groups[GROUP] = [known(scene, "cy@corp.example", userPrincipalName=None, mail=None)]
    with pytest.raises(Unavailable, match="tells nothing of the users"):
        await groups.members(GROUP)
    for status in (403, 429, 503):
        scene.tenant.answers.append((status, {}))
        with pytest.raises(Unavailable, match=str(status)):
            await groups.members(GROUP)


async def test_the_token_is_shown_to_no_other_host_that_a_page_names(scene: Scene) -> None:
    shown: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        shown.append(request)
        if request.method == "POST":
            return httpx.Response(200, json={"access_token": "secret", "expires_in": 3600})
        return httpx.Response(200, json={"value": [], "@odata.nextLink": "https://evil.example/v1.0/groups"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        with pytest.raises(Unavailable, match="another host"):
            await EntraGroups(scene.stage.application.services, http).members(GROUP)
    assert {request.url.host for request in shown} == {"127.0.0.1", "graph.microsoft.com"}
