"""What people say to learn what is wrong: health, lists, and one insight."""

from __future__ import annotations

from bot.intent import Definition, Slot, SlotType, Value
from bot.slot_types import REGION
from intents.insights.narrowing import FOLLOW_UPS

_WINDOW = Slot("Window", SlotType("AMAZON.Duration"), required=False, label="Time")
_DAY = Slot("Day", SlotType("AMAZON.Date"), required=False, label="Day")
PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "last")
MORE = r"(?:and )?(?:tell (?:me|us) more|more details?|more about)(?: (?:about )?(?:it|this|that)(?: one)?)?"
OURS = (
    r"(?:and |so |but )*(?:is|was) (?:it|this|that) (?:really |perhaps |maybe )?"
    r"(?:because of |caused by |due to |after )?"
    r"(?:us|(?:an? |the |one of |our |any |new |last )*"
    r"(?:deployment|deploy|release|roll-?out|change|request|experiment)s?(?: of (?:ours|us|our own))?)"
    r"|(?:and |so |but )*did (?:we|you|somebody|anybody|someone|anyone) (?:deploy|release|roll out|change)"
    r"(?: something| anything)?(?: (?:before|there|then|it|just|right|that|shortly))*"
)
"""What asks, after an insight was shown, whether it came of what we did."""
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
            "which regions are unhealthy",
            "which services are unhealthy",
            "health by account",
            "health by OU",
            "health by region",
            "health by stack",
            "health by service",
            "health by tag",
            "health per account",
            "health of an account",
            "health of an OU",
            "how healthy is production",
            "how is an account doing",
            "health in eu-central-1",
            "mean time to recover by account",
            "insights by service compared with last week",
            "health overview",
            "operational health",
            "insights overview",
            "how long does it take us to recover",
            "mean time to recover",
            "how are we doing",
            "are there any problems right now",
            "give me the state of the organization",
            "is all well in our accounts",
            "do we have trouble anywhere",
            "how is our cloud today",
            "is something down",
            "what is the overall status of our accounts",
            "which accounts have problems",
            "general health check of the organization",
            "are all our systems fine",
            "compare this week with last week",
            "is payments healthy",
            "is the webshop fine",
            "is Payments Prod ok",
            "is the account Network Hub ok",
            "how is payments doing",
            "is production ok",
            "is prod fine",
            "what is the MTTR this week",
            "our mean time to recover this week",
        ),
        examples=("how healthy is the organization?",),
        follow_ups=rf"(?:(?:and|now|same|but) )*by (?:account|ou|region|stack|service|tag)(?: [\w.:-]+)?|{FOLLOW_UPS}",
    )


def define_coverage() -> Definition:
    """Return the definition of the question what is not watched."""
    return Definition(
        name="InsightsCoverage",
        title="what is not watched",
        description="Tell which accounts, Regions and stacks are not watched, and why.",
        utterances=(
            "what is not watched",
            "which accounts are not watched",
            "which stacks are not watched",
            "which regions are not watched",
            "what is not covered",
            "which accounts are not covered by DevOps Guru",
            "which stacks are not covered",
            "show the coverage",
            "insights coverage",
            "coverage of DevOps Guru",
            "is everything watched",
            "are all accounts covered",
            "what don't you see",
            "where are the blind spots",
            "blind spots",
            "which accounts are not monitored",
            "what isn't monitored",
            "is the stack monitored",
            "is our database monitored",
            "where does nobody look",
        ),
        examples=("what is not watched?",),
    )


COVER = "CoverStack"
_STACK = SlotType("StackName", listed=False, samples=("webshop-test", "checkout-service", "orders-api-prod"))
_HOST = SlotType("CoveredAccount", listed=False, samples=("payments-prod", "web-shop-dev", "123456789012"))


def define_cover() -> Definition:
    """Return the definition of having a stack watched."""
    return Definition(
        name=COVER,
        title="order to watch a stack",
        description="Have DevOps Guru watch a CloudFormation stack, after its monthly cost was shown.",
        utterances=(
            "cover stack {Stack}",
            "cover the stack {Stack}",
            "cover stack {Stack} with DevOps Guru",
            "cover stack {Stack} of account {Account} in {Region}",
            "cover stack {Stack} of {Account} in {Region}",
            "cover the stack {Stack} of {Account}",
            "watch stack {Stack}",
            "watch the stack {Stack}",
            "watch stack {Stack} in {Region}",
            "watch stack {Stack} of {Account}",
            "watch stack {Stack} of {Account} in {Region}",
            "have the stack {Stack} watched",
            "have the stack {Stack} of {Account} in {Region} watched",
            "let DevOps Guru watch the stack {Stack}",
            "enable DevOps Guru for stack {Stack}",
            "enable DevOps Guru for the stack {Stack} of {Account} in {Region}",
            "enable DevOps Guru for {Stack} in {Account}",
            "turn on DevOps Guru for the stack {Stack}",
            "turn on DevOps Guru for {Stack}",
            "start monitoring stack {Stack} in {Account}",
            "monitor the stack {Stack}",
            "I want a stack to be watched",
            "cover a stack with DevOps Guru",
        ),
        slots=(
            Slot(
                "Account",
                _HOST,
                prompt="Which account is the stack in? Give its id or its name.",
                label="Account",
                again="Which account?",
                utterances=("{Account}", "it is in {Account}", "the account {Account}"),
            ),
            Slot(
                "Region",
                REGION,
                prompt="Which Region is the stack in? {choices}",
                again="Which Region?",
                label="Region",
                utterances=("{Region}", "it is in {Region}"),
            ),
            Slot(
                "Stack",
                _STACK,
                prompt="What is the stack called?",
                again="What is the stack's name?",
                label="Stack",
                utterances=("{Stack}", "the stack {Stack}", "it is called {Stack}"),
            ),
        ),
        examples=("cover stack webshop-test with DevOps Guru",),
        confirmation="Shall I have the stack {Stack} of {Account} in {Region} watched?",
        declined="OK, nothing is changed about what is watched.",
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
            "insights for several accounts",
            "insights for the accounts payments, webshop and network",
            "insights for Payments Prod and Network Hub",
            "show insights for Payments Prod, Network Hub, Data Lake and Web Shop Test",
            "insights in the past {Window} for an account",
            "insights in an OU",
            "insights for the OU",
            "insights for a stack",
            "insights for the resource",
            "insights for the function checkout-handler",
            "insights tagged team=webshop",
            "insights with tag team webshop",
            "lambda insights",
            "insights from Monday to Friday",
            "insights between two days",
            "anomalies in the last {Window}",
            "show anomalies",
            "is anything about to run out of memory",
            "is anything about to fail",
            "which databases are about to fill up",
            "is any disk about to fill up",
            "is anything on fire",
            "any closed ones",
            "what opened since {Day}",
            "what opened between Monday and Wednesday",
            "will anything run out of disk space",
            "what is about to break",
            "predicted problems",
            "are there any problems with lambda",
            "problems in production",
            "what are the problems in the last {Window}",
            "show all critical insights",
            "which problems did DevOps Guru find",
            "list problems since {Day}",
            "unusual behaviour in the last {Window}",
            "give me the insights by severity",
            "everything that went wrong in the past {Window}",
            "insights about RDS",
            "issues in eu-west-1",
            "what trouble did we have in the last {Window}",
            "did anything odd happen since {Day}",
            "ongoing insights",
            "what did DevOps Guru see in the last {Window}",
            "any alarms",
            "what is failing",
            "show me what is failing",
            "what is going on in production",
            "any P1s",
            "are there any alarms in production",
            "anything weird with lambda since {Day}",
        ),
        slots=(_WINDOW, _DAY),
        examples=("what's wrong in production?", "high severity insights in the last 12 hours"),
        follow_ups=FOLLOW_UPS,
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
            "explain that insight",
            "why did that happen",
            "open the {Place} insight",
            "how can we solve it",
            "more information about insight {Insight}",
            "which metrics were affected",
            "what is the cause of insight {Insight}",
            "how to fix the {Place} insight",
            "what does DevOps Guru recommend for it",
            "details on number {Place}",
            "any recommendations",
            "recommendations",
            "timeline",
            "show the timeline",
            "events",
            "show me the graph",
            "show the graph",
            "who deployed before it",
            "why is it slow",
        ),
        slots=(
            Slot("Place", _PLACE, required=False, label="Which"),
            Slot("Insight", _ID, required=False, label="Insight"),
        ),
        examples=("tell me about that one", "show its events"),
        follow_ups=f"{MORE}|{OURS}",
    )
