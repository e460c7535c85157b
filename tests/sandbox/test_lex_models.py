"""Building Lex V2 bots in the sandbox: states, versions, aliases, and what it refuses, as AWS does."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.landing import Aws

ROLE = "arn:aws:iam::111122223333:role/aws-service-role/lexv2.amazonaws.com/AWSServiceRoleForLexV2Bots"
PROMPT = {"maxRetries": 1, "messageGroups": [{"message": {"plainTextMessage": {"value": "Which colour?"}}}]}
ASKED = {"slotConstraint": "Required", "promptSpecification": PROMPT}
_names = itertools.count(1)


class Draft:
    """A bot with an English draft that understands one greeting."""

    def __init__(self, aws: Aws) -> None:
        self.aws, self.lex = aws, aws.client("lexv2-models")
        made = self.lex.create_bot(
            botName=f"Bot{next(_names)}",
            roleArn=ROLE,
            dataPrivacy={"childDirected": False},
            idleSessionTTLInSeconds=300,
        )
        self.id, self.made = made["botId"], made
        self.wait(5)
        self.at = {"botId": self.id, "botVersion": "DRAFT", "localeId": "en_US"}
        self.lex.create_bot_locale(**self.at, nluIntentConfidenceThreshold=0.4)
        self.wait(5)
        self.intent = self.create_intent("Greet", "good morning")

    def wait(self, seconds: float) -> None:
        self.aws.advance(seconds / 60)

    def create_intent(self, name: str, *utterances: str) -> str:
        samples = [{"utterance": utterance} for utterance in utterances]
        return str(self.lex.create_intent(**self.at, intentName=name, sampleUtterances=samples)["intentId"])

    def build(self) -> dict[str, Any]:
        self.lex.build_bot_locale(**self.at)
        assert self.lex.describe_bot_locale(**self.at)["botLocaleStatus"] == "Building"
        self.wait(60)
        found: dict[str, Any] = self.lex.describe_bot_locale(**self.at)
        return found

    def version(self) -> str:
        made = self.lex.create_bot_version(
            botId=self.id, botVersionLocaleSpecification={"en_US": {"sourceBotVersion": "DRAFT"}}
        )
        return str(made["botVersion"])


@pytest.fixture
def draft(aws: Aws) -> Draft:
    return Draft(aws)


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_everything_passes_the_states_that_aws_names(draft: Draft) -> None:
    lex = draft.lex
    assert draft.made["botStatus"] == "Creating"
    assert lex.describe_bot(botId=draft.id)["botStatus"] == "Available"
    assert lex.describe_bot_locale(**draft.at)["botLocaleStatus"] == "NotBuilt"
    assert draft.build()["botLocaleStatus"] == "Built"
    draft.create_intent("Leave", "good bye")
    assert lex.describe_bot_locale(**draft.at)["botLocaleStatus"] == "NotBuilt"
    draft.build()
    number = draft.version()
    assert lex.describe_bot(botId=draft.id)["botStatus"] == "Versioning"
    assert lex.describe_bot_version(botId=draft.id, botVersion=number)["botStatus"] == "Creating"
    draft.wait(10)
    alias = lex.create_bot_alias(botId=draft.id, botAliasName="live", botVersion=number)
    assert alias["botAliasStatus"] == "Creating"
    draft.wait(5)
    found = lex.describe_bot_alias(botId=draft.id, botAliasId=alias["botAliasId"])
    assert found["botAliasStatus"] == "Available"
    assert [event["botVersion"] for event in found["botAliasHistoryEvents"]] == ["1"]


def test_the_language_brings_its_fallback_intent_and_the_bot_its_test_alias(draft: Draft) -> None:
    rows = draft.lex.list_intents(**draft.at)["intentSummaries"]
    assert [(r["intentId"], r["intentName"]) for r in rows if "parentIntentSignature" in r] == [
        ("FALLBCKINT", "FallbackIntent")
    ]
    [alias] = draft.lex.list_bot_aliases(botId=draft.id)["botAliasSummaries"]
    assert (alias["botAliasId"], alias["botAliasName"], alias["botVersion"]) == ("TSTALIASID", "TestBotAlias", "DRAFT")


def test_a_version_keeps_what_was_built_whatever_becomes_of_the_draft(draft: Draft) -> None:
    draft.build()
    number = draft.version()
    draft.wait(10)
    draft.lex.delete_intent(**draft.at, intentId=draft.intent)
    kept = {**draft.at, "botVersion": number}
    assert draft.lex.describe_intent(**kept, intentId=draft.intent)["intentName"] == "Greet"
    code, _ = refused(lambda: draft.lex.describe_intent(**draft.at, intentId=draft.intent))
    assert code == "ResourceNotFoundException"


def test_the_test_alias_serves_the_last_good_build(draft: Draft) -> None:
    runtime = draft.aws.client("lexv2-runtime")

    def hears(text: str) -> str:
        answer = runtime.recognize_text(
            botId=draft.id, botAliasId="TSTALIASID", localeId="en_US", sessionId=f"s-{next(_names)}", text=text
        )
        return str(answer["sessionState"]["intent"]["name"])

    assert refused(lambda: hears("good morning"))[0] == "ResourceNotFoundException"
    draft.build()
    assert hears("good morning") == "Greet"
    draft.create_intent("Leave", "see you in the {Place}")
    assert draft.build()["botLocaleStatus"] == "Failed"
    assert hears("good morning") == "Greet"


def test_what_is_busy_refuses_changes_and_stays_readable(draft: Draft) -> None:
    draft.lex.build_bot_locale(**draft.at)
    for change in (
        lambda: draft.create_intent("Leave", "good bye"),
        lambda: draft.lex.delete_intent(**draft.at, intentId=draft.intent),
        lambda: draft.lex.build_bot_locale(**draft.at),
    ):
        assert refused(change) == (
            "ConflictException",
            "The locale en_US is in the Building state. Wait until it is complete, then try again.",
        )
    assert draft.lex.describe_intent(**draft.at, intentId=draft.intent)["intentName"] == "Greet"
    draft.wait(60)
    draft.version()
    assert refused(lambda: draft.create_intent("Leave", "good bye"))[0] == "ConflictException"


def test_names_are_used_once(draft: Draft) -> None:
    twice = "Intent with name FallbackIntent already exists. Use another name."
    assert refused(lambda: draft.create_intent("FallbackIntent")) == ("ValidationException", twice)
    assert refused(lambda: draft.create_intent("Greet"))[0] == "ValidationException"
    name = draft.lex.describe_bot(botId=draft.id)["botName"]
    again = {"roleArn": ROLE, "dataPrivacy": {"childDirected": False}, "idleSessionTTLInSeconds": 300}
    assert "already exists" in refused(lambda: draft.lex.create_bot(botName=name, **again))[1]


def test_what_is_not_there_is_told_as_lex_does(draft: Draft) -> None:
    gone = {**draft.at, "intentId": "NOSUCHINTT"}
    assert refused(lambda: draft.lex.describe_intent(**gone))[0] == "ResourceNotFoundException"
    assert refused(lambda: draft.lex.delete_intent(**gone)) == (
        "PreconditionFailedException",
        "Failed to retrieve resource since it does not exist.",
    )
    assert refused(lambda: draft.lex.describe_bot(botId="NOSUCHBOTT"))[0] == "ResourceNotFoundException"
    code, message = refused(lambda: draft.lex.describe_bot_version(botId=draft.id, botVersion="DRAFT"))
    assert code == "ValidationException"
    assert message.startswith("1 validation error detected: Value 'DRAFT' at 'botVersion' failed to satisfy constraint")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda d: d.create_intent("Leave", "leave the {Place}"),
            "The utterance 'leave the {Place}' in intent Leave uses the slot Place, which doesn't exist in the intent.",
        ),
        (
            lambda d: d.create_intent("Leave", "good morning"),
            "The utterance 'good morning' is in the intents Greet and Leave. Remove one.",
        ),
        (lambda d: d.create_intent("Leave", "who, me?"), "The utterance 'who, me?' in intent Leave contains invalid"),
        (
            lambda d: d.lex.delete_intent(**d.at, intentId=d.intent),
            "The locale 'en_US' doesn't have any utterances. A locale must have at least one custom intent",
        ),
        (
            lambda d: d.lex.create_slot(
                **d.at, intentId=d.intent, slotName="Day", slotTypeId="AMAZON.Date", valueElicitationSetting=ASKED
            ),
            "Slot ids [Day] in intent Greet don't define a slot priority. "
            "Update the intent to add a priority to these slots.",
        ),
        (
            lambda d: d.lex.create_slot_type(
                **d.at, slotTypeName="Empty", valueSelectionSetting={"resolutionStrategy": "OriginalValue"}
            ),
            "The slot type Empty doesn't have any values.",
        ),
    ],
)
def test_a_build_fails_with_its_reason(draft: Draft, change: Callable[[Draft], Any], reason: str) -> None:
    change(draft)
    found = draft.build()
    assert found["botLocaleStatus"] == "Failed"
    assert [r for r in found["failureReasons"] if r.startswith(reason)], found["failureReasons"]
    code, _ = refused(draft.version)
    assert code == "PreconditionFailedException"


def test_a_build_can_be_made_to_fail_and_blames_an_utterance(draft: Draft) -> None:
    draft.aws.post("faults", name="build_failed", on=True, times=1)
    assert "Intent: Greet, utterance: 'good morning'." in draft.build()["failureReasons"][0]
    assert draft.build()["botLocaleStatus"] == "Built"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"parentSlotTypeSignature": "AMAZON.AlphaNumeric", "regex": "[a-z]+"}, "unsupported operator"),
        ({"regex": "[a-z]{2}"}, "AMAZON.AlphaNumeric"),
        ({"slotTypeValues": [{"sampleValue": {"value": v}} for v in ("red", "Red")]}, "more than once"),
    ],
)
def test_a_slot_type_that_cannot_be_is_refused(draft: Draft, values: dict[str, Any], message: str) -> None:
    given = dict(values)
    setting: dict[str, Any] = {"resolutionStrategy": "OriginalValue"}
    if pattern := given.pop("regex", ""):
        setting["regexFilter"] = {"pattern": pattern}
    code, told = refused(
        lambda: draft.lex.create_slot_type(**draft.at, slotTypeName="T", valueSelectionSetting=setting, **given)
    )
    assert (code, message in told) == ("ValidationException", True), told


def test_quotas_hold(draft: Draft) -> None:
    samples = [{"utterance": f"answer number {n}"} for n in range(11)]
    setting = {**ASKED, "sampleUtterances": samples}
    code, message = refused(
        lambda: draft.lex.create_slot(
            **draft.at, intentId=draft.intent, slotName="A", slotTypeId="AMAZON.Date", valueElicitationSetting=setting
        )
    )
    assert code == "ServiceQuotaExceededException"
    assert "10" in message


def test_an_alias_is_only_moved_to_what_is_there_and_not_deleted_from_under(draft: Draft) -> None:
    draft.build()
    number = draft.version()
    early = refused(lambda: draft.lex.create_bot_alias(botId=draft.id, botAliasName="live", botVersion=number))
    assert early[0] == "ConflictException"
    draft.wait(10)
    assert (
        refused(lambda: draft.lex.create_bot_alias(botId=draft.id, botAliasName="live", botVersion="7"))[0]
        == "PreconditionFailedException"
    )
    draft.lex.create_bot_alias(botId=draft.id, botAliasName="live", botVersion=number)
    draft.wait(5)
    in_use = refused(lambda: draft.lex.delete_bot_version(botId=draft.id, botVersion=number))
    assert in_use == ("ConflictException", "An alias points at version 1. Point it elsewhere first.")


def test_listings_have_pages(draft: Draft) -> None:
    for number in range(4):
        draft.create_intent(f"More{number}", f"more of kind {'abcd'[number]}")
    first = draft.lex.list_intents(**draft.at, maxResults=4)
    second = draft.lex.list_intents(**draft.at, maxResults=4, nextToken=first["nextToken"])
    names = [row["intentName"] for page in (first, second) for row in page["intentSummaries"]]
    assert names == ["FallbackIntent", "Greet", "More0", "More1", "More2", "More3"]
    assert "nextToken" not in second


def test_what_was_built_outlives_a_reset(draft: Draft) -> None:
    draft.build()
    draft.aws.post("reset")
    assert draft.lex.describe_bot_locale(**draft.at)["botLocaleStatus"] == "Built"
