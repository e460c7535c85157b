"""An insight with everything that its page can show."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.activity import Person
from bot.errors import Unavailable
from bot.insight_desk import Listed, Wanted
from bot.insights import Anomaly, Details, Event, Insight, Recommendation
from bot.intent import Answer, Ask, Definition, Watch
from bot.organization import Organization
from bot.paging import Page
from bot.quiet import QuietHours
from bot.rooms import Room
from bot.watches import INSIGHTS, Held, about_account, about_insight
from tests.console.stage import Example, Stage

ACCOUNT, REGION = "444455556666", "us-east-1"


class SampleDesk(Example):
    """Hands out that one insight."""

    start = datetime.min
    name = "Latency of checkout is anomalous"

    def details(self) -> Details:
        """Return it: open, after a deployment, with a metric over its limit and advice."""
        start = self.start
        insight = Insight("AB12", ACCOUNT, REGION, self.name, "HIGH", False, start, None, stacks=("checkout",))
        points = tuple((start + timedelta(minutes=5 * n - 60), 40.0 + (n > 12) * 300) for n in range(24))
        anomaly = Anomaly("Duration", "checkout", "Milliseconds", "p90", points, start, None, limit=200.0)
        event = Event(start - timedelta(minutes=9), "UpdateFunctionCode", "lambda", "DEPLOYMENT", ("checkout",), "ci")
        advice = Recommendation(
            "Look at the newest version", "It is slower.", "https://docs.aws.example/", "Roll back."
        )
        return Details(insight, (anomaly,), (event,), (advice,), ("CloudTrail could not be read.",))

    async def list_insights(self, person: Person | None, wanted: Wanted, cursor: str, limit: int) -> Listed:
        """Return a page with it."""
        return Listed(Page((self.details().insight,), ""), {ACCOUNT: "Shop"}, total=1)

    async def show_insight(self, person: Person | None, insight_id: str, account: str, region: str) -> Details:
        """Return it."""
        return self.details()

    def forget(self, account: str, region: str) -> None:
        """Read nothing anew."""


class SampleWatches(Watch):
    """Lends its name to the page of what is told."""

    def define(self) -> Definition:
        """Say what people could ask."""
        return Definition("InsightsWatchList", "list of watches", "Tells what is told.", ("what do you watch for",))

    async def answer(self, ask: Ask) -> Answer:
        """Tell nothing: pages do."""
        return Answer("")


async def with_watches(stage: Stage, email: str) -> None:
    """Have somebody told of insights, with a piece of news held back and an account muted."""
    services, now = stage.services, stage.clock.now()
    person, room = await stage.person(email), Room("slack:T1:C1", "#ops")
    quiet = QuietHours("22:00", "07:00", "UTC", pierced=True)
    watch = await services.watches.begin(INSIGHTS, room, "new insights in Prod", {}, quiet, person)
    held = Held("held-1", watch.id, about_insight("AB12"), "it has closed.", "", now, now + timedelta(hours=2))
    await services.database.write(lambda transaction: services.watches.hold(transaction, held))
    await services.watches.mute(room.id, about_account(ACCOUNT), now + timedelta(hours=8), person)
    services.registry.intents["InsightsWatchList"] = SampleWatches(services)


async def _unread() -> Organization:
    raise Unavailable("The organization can't be read.")


def with_insight(stage: Stage) -> str:
    """Put the insight up on a stage; return its page's path."""
    desk = SampleDesk(stage.services)
    desk.start = stage.clock.now() - timedelta(hours=1)
    stage.services.registry.intents["SampleDesk"] = desk
    stage.services.organization.recent = _unread  # type: ignore[method-assign]  # there is no AWS behind a stage
    return f"/insights/AB12_{ACCOUNT}_{REGION}"
