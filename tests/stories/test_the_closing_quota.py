"""AWS lets a tenth of the members be closed in any 30 days: told in the plan, and when AWS itself refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sandbox.growth import grown_account_id
from tests.stories.accounts import is_approved, status_of, tag
from tests.support.stage import Approver, Speaker, Stage, Theatre, eventually

INVITED = [grown_account_id(number) for number in range(9, 130, 10)]
"""Accounts that Account Factory did not make: they are closed at once."""
QUOTA = 14
"""A tenth of the 140 members."""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """A sandboxed AWS with an organization of 140 accounts."""
    theatre = Theatre(tmp_path_factory.mktemp("company"), accounts=140)
    yield theatre
    theatre.close()


@pytest.fixture
async def stage(company: Theatre, tmp_path: Path) -> AsyncIterator[Stage]:
    """A bot in that company, in which Ana owns what was invited."""
    async with company.open_stage(tmp_path) as stage:
        for account in INVITED:
            tag(stage, account, owner="ana@corp.example", account_type="Sandbox", expires="2099-01-01")
        await stage.application.services.organization.changed()
        yield stage


async def others_are_closed(stage: Stage, *numbers: int) -> None:
    """Have these of the accounts that were not invited closed by somebody else."""
    managed = [number for number in range(130) if grown_account_id(number) not in INVITED]
    for number in numbers:
        stage.aws("organizations").close_account(AccountId=grown_account_id(managed[number]))
    await stage.application.services.organization.changed()


async def test_a_full_quota_refuses_the_plan(stage: Stage, ana: Speaker) -> None:
    await others_are_closed(stage, *range(QUOTA - 1))
    await ana.says(f"close account {INVITED[0]}")
    ana.hears(f"{QUOTA - 1} of {QUOTA} closings that AWS allows in 30 days are used", "Shall I go ahead?")
    await ana.says("never mind")
    await others_are_closed(stage, QUOTA)
    await ana.says(f"close account {INVITED[0]}")
    ana.hears(f"All {QUOTA} of {QUOTA} closings that AWS allows in 30 days are used", "Ask again later")
    ana.does_not_hear("Shall I go ahead?")
    assert status_of(stage, INVITED[0]) == "ACTIVE"


async def test_a_closing_that_aws_refuses_for_its_quota_is_tried_again_when_a_place_is_free(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await others_are_closed(stage, *range(QUOTA))
    await stage.advance(hours=5)
    await stage.application.services.organization.changed()
    account = INVITED[0]
    await ana.says(f"close account {account}")
    ana.hears("closings that AWS allows in 30 days are used", "accounts were closed elsewhere: AWS may refuse for now")
    request = await is_approved(ana, bo)
    await ana.hears_later("AWS refuses to close the account", "You have exceeded the close account quota")
    ana.hears("accounts may be closed in any 30 days", f"an operator can retry {request}")
    assert (await stage.view(request))["state"] == "failed"
    assert status_of(stage, account) == "ACTIVE"
    await stage.advance(days=30)
    operator = stage.speaker("Bo Lee")
    await operator.says(f"retry {request}")
    await ana.hears_later("(PENDING_CLOSURE)")
    await stage.advance(hours=5)
    await ana.hears_later("is closed (SUSPENDED)")
    await stage.reaches(request, "succeeded")


async def test_many_closings_at_once_are_followed_by_one_listing(stage: Stage, ana: Speaker, bo: Approver) -> None:
    requests = []
    for account in INVITED[:11]:
        await ana.says(f"close account {account}")
        await ana.presses("Yes, go ahead")
        requests.append(ana.request)
    for request in requests:
        await bo.opens_the_mail(about=request)
        await bo.approves()

    async def all_are_being_closed() -> bool:
        return all([status_of(stage, account) == "PENDING_CLOSURE" for account in INVITED[:11]])

    await eventually(all_are_being_closed, lambda: "not all are being closed")
    for request in requests:
        await stage.reaches(request, "running")
    before = len(await stage.calls("DescribeAccount"))
    await stage.advance(hours=5)
    for request in requests:
        await stage.reaches(request, "succeeded")
    assert len(await stage.calls("DescribeAccount")) == before
