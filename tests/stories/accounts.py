"""Accounts of the sandbox's seed, and what stories about them do again and again."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from bot.database.tables import keepsakes
from tests.support.stage import Approver, Speaker, Stage, eventually

DEMO_BOOTH, WEBSHOP, PLAYGROUND, OLD_INTRANET = "444466667777", "666677778888", "555566667777", "888899990000"
MANAGEMENT, LOG_ARCHIVE, AUDIT = "111122223333", "222233334444", "333344445555"
DEMOS, EXPERIMENT = "ou-c0rp-dem0dem0", "ou-c0rp-exper1mt"


def tag(stage: Stage, account: str, **tags: str) -> None:
    """Put tags on an account, as another tool would have."""
    entries = [{"Key": key.replace("_", "-"), "Value": value} for key, value in tags.items()]
    stage.aws("organizations").tag_resource(ResourceId=account, Tags=entries)


def tags_of(stage: Stage, account: str) -> dict[str, str]:
    """Return an account's tags."""
    tags = stage.aws("organizations").list_tags_for_resource(ResourceId=account)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in tags}


def parent_of(stage: Stage, account: str) -> str:
    """Return the id of the OU or root that an account is in."""
    return str(stage.aws("organizations").list_parents(ChildId=account)["Parents"][0]["Id"])


def status_of(stage: Stage, account: str) -> str:
    """Return an account's state."""
    return str(stage.aws("organizations").describe_account(AccountId=account)["Account"]["Status"])


def day(stage: Stage, **after: float) -> str:
    """Return a day from today on, ISO 8601."""
    return (stage.application.clock.now() + timedelta(**after)).date().isoformat()


async def is_approved(ana: Speaker, bo: Approver) -> str:
    """Say yes to the plan and have it approved; return the request."""
    await ana.presses("Yes, go ahead")
    request = ana.request
    await bo.opens_the_mail(about=request)
    await bo.approves()
    await ana.hears_later("was approved by")
    return request


async def expiry_is_looked_after(stage: Stage) -> None:
    """Wait until the scheduler has seen the job: from then on its period counts."""

    async def is_seen() -> bool:
        async with stage.application.services.database.read() as connection:
            found = select(keepsakes.c.name).where(keepsakes.c.name == "job:account-expiry")
            return (await connection.execute(found)).first() is not None

    await eventually(is_seen, lambda: "the scheduler runs no job")
