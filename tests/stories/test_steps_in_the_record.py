"""What the work did on AWS is in the record: each step with AWS's request ids and the digest it carried out."""

from __future__ import annotations

from tests.stories.errands import asks_for_an_account, is_ordered
from tests.support.stage import Approver, Speaker, Stage


async def steps_recorded(stage: Stage, request: str) -> list[dict[str, object]]:
    """Return the record's rows on a request's order, oldest first."""
    page = await stage.application.services.audit.list(request=request, limit=100)
    rows = [e for e in reversed(page.items) if e["payload"].get("step") == "order the account"]
    return [{"kind": e["kind"], **e["payload"]} for e in rows]


async def test_an_order_is_recorded_with_its_aws_request_id_and_digest(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    order = await is_ordered(stage, ana, bo)
    view = await stage.view(order)
    [step] = [s for s in view["steps"] if s["name"] == "order the account"]
    [row] = await steps_recorded(stage, order)
    assert row["kind"] == "step.succeeded"
    assert row["digest"] == view["digest"]
    assert row["aws_request_ids"] == step["aws_request_ids"]
    assert row["aws_request_ids"]


async def test_a_refused_order_is_recorded_with_awss_words(stage: Stage, ana: Speaker, bo: Approver) -> None:
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await stage.switches_on("access_denied", operations=["ProvisionProduct"])
    await bo.approves()
    await ana.hears_later("failed")
    [row] = await steps_recorded(stage, order)
    assert row["kind"] == "step.failed"
    assert "AccessDenied" in str(row["error"])
    assert row["aws_request_ids"]
