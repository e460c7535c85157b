"""What people say to learn what is wrong: health, lists, and one insight."""

from __future__ import annotations

from bot.intent import Definition, Slot, SlotType, Value

_WINDOW = Slot("Window", SlotType("AMAZON.Duration"), required=False, label="Time")
_DAY = Slot("Day", SlotType("AMAZON.Date"), required=False, label="Day")
PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "last")
_ID = SlotType("InsightId", pattern="[0-9A-Za-z_-]{16,140}", listed=False)
"""An insight's id, with the account and the Region behind it when our own buttons say it."""
_PLACE = SlotType("InsightPlace", tuple(Value(p) for p in PLACES))


def define_health() -> Definition:
    """Return the definition of the question how the organization is."""
    return Definition(
        name="InsightsHealth",
        title="health of the organization",
        description="Tell how healthy the organization is: open insights by severity, account, OU and stack.",
        utterances=(
            "how is the organization doing",
            "how healthy is the organization",
            "health of the organization",
            "organization health",
            "show me the health of our accounts",
            "is everything healthy",
            "is everything all right",
            "are our accounts healthy",
            "is anything broken",
            "which accounts are unhealthy",
            "which OUs are unhealthy",
            "which stacks are unhealthy",
            "health overview",
            "operational health",
            "insights overview",
            "how long does it take us to recover",
            "mean time to recover",
        ),
        examples=("how healthy is the organization?",),
    )


def define_list() -> Definition:
    """Return the definition of the list of insights."""
    return Definition(
        name="InsightsList",
        title="list of insights",
        description="List insights by severity, kind, account, OU, Region, stack, service and time.",
        utterances=(
            "insights",
            "show insights",
            "list insights",
            "show me the open insights",
            "list all open insights",
            "which insights are open",
            "what's wrong in production",
            "what is broken in production",
            "what's broken in eu-central-1",
            "high severity insights",
            "medium severity insights",
            "low severity insights",
            "reactive insights",
            "proactive insights",
            "closed insights",
            "closed insights since {Day}",
            "insights since {Day}",
            "insights of {Day}",
            "what has gone wrong since {Day}",
            "high severity insights in the last {Window}",
            "insights of the past {Window}",
            "insights in the past {Window}",
            "what went wrong in the last {Window}",
            "insights for an account",
            "insights for account in eu-west-1",
            "insights in an OU",
            "insights for a stack",
            "anomalies in the last {Window}",
            "show anomalies",
            "is anything about to run out of memory",
            "is anything about to fail",
            "will anything run out of disk space",
            "what is about to break",
            "predicted problems",
            "are there any problems with lambda",
            "problems in production",
            "what are the problems in the last {Window}",
        ),
        slots=(_WINDOW, _DAY),
        examples=("what's wrong in production?", "high severity insights in the last 12 hours"),
    )


def define_detail() -> Definition:
    """Return the definition of the question about one insight."""
    return Definition(
        name="InsightDetail",
        title="one insight",
        description="Tell about one insight: charts, events, recommendations.",
        utterances=(
            "tell me about that one",
            "tell me more about that one",
            "tell me about insight {Insight}",
            "tell me about the insight",
            "tell me about the {Place} one",
            "tell me more about the {Place} insight",
            "details of the {Place} insight",
            "show insight details",
            "details of insight {Insight}",
            "more about this insight",
            "show its events",
            "what happened before it",
            "which deployment came before",
            "events of the insight",
            "show events of insight {Insight}",
            "show recommendations of insight {Insight}",
            "what should I do about it",
            "what should we do about that one",
            "how do I fix that one",
            "recommendations for this insight",
            "show its recommendations",
            "show its chart",
            "show me the chart",
        ),
        slots=(
            Slot("Place", _PLACE, required=False, label="Which"),
            Slot("Insight", _ID, required=False, label="Insight"),
        ),
        examples=("tell me about that one", "show its events"),
    )
