"""The same insights for programs (/v1/insights) and on the console's pages."""

from __future__ import annotations

import re

from tests.stories.accounts import WEBSHOP
from tests.support.stage import Stage


async def test_programs_list_filter_page_and_read_one(stage: Stage) -> None:
    client = stage.client()
    first = (await client.get("/v1/insights", params={"limit": 4})).json()
    assert (len(first["insights"]), first["total"], first["missing"]) == (4, 10, [])
    assert first["sources"] == ["Amazon DevOps Guru"]
    second = (await client.get("/v1/insights", params={"limit": 200, "cursor": first["next_cursor"]})).json()
    found = [*first["insights"], *second["insights"]]
    assert second["next_cursor"] is None
    assert len({insight["id"] for insight in found}) == 10
    grave = ["high", "medium", "low"]
    assert [i["severity"] for i in found] == sorted((i["severity"] for i in found), key=grave.index)

    wanted = {"ou": "Workloads", "severity": ["high", "medium"], "kind": "reactive", "region": "us-east-1"}
    narrow = (await client.get("/v1/insights", params=wanted)).json()["insights"]
    assert {i["account"]["name"] for i in narrow} == {"Webshop Prod", "Webshop Test"}
    by_resource = (await client.get("/v1/insights", params={"resource": "checkout-handler"})).json()["insights"]
    assert [i["account"]["id"] for i in by_resource] == [WEBSHOP]

    (one,) = by_resource
    whole = (await client.get(f"/v1/insights/{one['id']}")).json()
    near = (await client.get(f"/v1/insights/{one['id']}?account={WEBSHOP}&region=us-east-1")).json()
    assert whole["anomalies"] == near["anomalies"]
    assert whole["anomalies"][0]["metric"] == "Duration"
    assert "DEPLOYMENT" in {event["class"] for event in whole["events"]}
    assert whole["recommendations"][0]["link"].startswith("https://")


async def test_wrong_filters_are_problems_that_say_what_would_do(stage: Stage) -> None:
    client = stage.client()
    for params, status, detail in (
        ({"account": "banana"}, 422, "There is no account called “banana”"),
        ({"region": "mars-1"}, 422, "Choose eu-central-1"),
        ({"ou": "Wrkloads"}, 422, "Did you mean Workloads"),
        ({"since": "2020-01-01T00:00:00Z"}, 422, "kept for 180 days"),
        ({"severity": "huge"}, 422, "high"),
        ({"tag": "team"}, 422, "key=value"),
        ({"cursor": "HIGH-x-y"}, 422, "next_cursor"),
    ):
        answer = await client.get("/v1/insights", params=params)
        assert answer.status_code == status, params
        assert answer.headers["content-type"] == "application/problem+json"
        assert detail in answer.json()["detail"]
    assert (await client.get("/v1/insights/AAAABBBBCCCCDDDD")).status_code == 404
    await stage.switches_on("access_denied", operation="devops-guru:ListOrganizationInsights")
    await stage.advance(minutes=10)
    refused = await client.get("/v1/insights")
    assert refused.status_code == 502
    assert "AccessDeniedException" in refused.json()["detail"]


async def test_the_console_lists_insights_and_draws_one(stage: Stage) -> None:
    ana = stage.speaker("Ana Lopez", channel="console")
    page = (await ana.visits("/insights?severity=high")).text
    assert 'aria-current="page">Insights' in page
    assert "Lambda p50 duration is anomalous" in page
    assert "DynamoDB" not in page
    address = re.search(r'href="(/insights/[^"]+)"><strong>Lambda', page)
    assert address
    one = (await ana.visits(address[1])).text
    assert 'src="data:image/svg+xml;base64,' in one
    assert "Deployment, 12 min before it" in one
    assert "Configure provisioned concurrency" in one
    wrong = await ana.visits("/insights?account=banana")
    assert wrong.status_code == 422
    assert "There is no account called" in wrong.text
    assert (await ana.visits("/insights/nothing_here")).status_code == 404
