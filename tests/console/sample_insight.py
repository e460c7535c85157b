"""An insight with everything that its page can show."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.activity import Person
from bot.errors import Unavailable
from bot.insight_desk import Listed, Wanted
from bot.insights import Anomaly, Details, Event, Insight, Recommendation
from bot.organization import Organization
from bot.paging import Page
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


async def _unread() -> Organization:
    raise Unavailable("The organization can't be read.")


def with_insight(stage: Stage) -> str:
    """Put the insight up on a stage; return its page's path."""
    desk = SampleDesk(stage.services)
    desk.start = stage.clock.now() - timedelta(hours=1)
    stage.services.registry.intents["SampleDesk"] = desk
    stage.services.organization.recent = _unread  # type: ignore[method-assign]  # there is no AWS behind a stage
    return f"/insights/AB12_{ACCOUNT}_{REGION}"
