"""A realistic bot locale in lexv2-models' shapes: vending accounts, requests, help."""

from __future__ import annotations

from typing import Any


def message_groups(text: str) -> list[dict[str, Any]]:
    return [{"message": {"plainTextMessage": {"value": text}}}]


def slot(
    name: str,
    slot_type: str,
    prompt: str,
    *,
    required: bool = True,
    retries: int = 3,
    samples: tuple[str, ...] = (),
) -> dict[str, Any]:
    setting: dict[str, Any] = {
        "slotConstraint": "Required" if required else "Optional",
        "promptSpecification": {"messageGroups": message_groups(prompt), "maxRetries": retries},
    }
    if samples:
        setting["sampleUtterances"] = [{"utterance": sample} for sample in samples]
    return {"slotName": name, "slotTypeName": slot_type, "valueElicitationSetting": setting}


def intent(name: str, utterances: tuple[str, ...], *slots: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {
        "intentName": name,
        "sampleUtterances": [{"utterance": utterance} for utterance in utterances],
        "slots": list(slots),
        "slotPriorities": [
            {"slotName": entry["slotName"], "priority": priority} for priority, entry in enumerate(slots, start=1)
        ],
        **settings,
    }


def listed(value: str, *synonyms: str) -> dict[str, Any]:
    return {"sampleValue": {"value": value}, "synonyms": [{"value": synonym} for synonym in synonyms]}


ACCOUNT_TYPE = {
    "slotTypeName": "AccountType",
    "slotTypeValues": [
        listed("Production", "prod", "prd", "live", "productive"),
        listed("Sandbox", "sbx", "playground", "test", "testing", "dev", "development"),
    ],
    "valueSelectionSetting": {"resolutionStrategy": "TopResolution"},
}
ACCOUNT_OU = {
    "slotTypeName": "AccountOU",
    "slotTypeValues": [listed("Experiment"), listed("Demos")],
    "valueSelectionSetting": {"resolutionStrategy": "OriginalValue"},
}
ACCOUNT_NAME = {
    "slotTypeName": "AccountName",
    "slotTypeValues": [],
    "valueSelectionSetting": {"resolutionStrategy": "OriginalValue"},
}
REQUEST_ID = {
    "slotTypeName": "RequestId",
    "parentSlotTypeSignature": "AMAZON.AlphaNumeric",
    "valueSelectionSetting": {
        "resolutionStrategy": "OriginalValue",
        "regexFilter": {"pattern": "qm-[0-9a-z]{8}"},
    },
}

VEND = intent(
    "AWSAccountVending",
    (
        "Hi I want a new account please",
        "Hi I would like to get an account",
        "I need a new account on AWS",
        "I want to create a new account",
        "I would like to create a new account",
        "I would like to get a new AWS account",
        "I need a {AccountType} account",
        "create a {AccountType} account in {AccountOU}",
        "I need a {AccountType} account in {AccountOU} for {RootEmail}",
        "set up an account for our team with root e-mail {RootEmail}",
        "please open an account in the {AccountOU} OU",
        "new {AccountType} account under {AccountOU} using {RootEmail}",
        "order another {AccountType} account called {AccountName}",
        "vend an account named {AccountName} in {AccountOU}",
        "call it {AccountName}",
        "can we have one more AWS account for a project",
    ),
    slot(
        "AccountType",
        "AccountType",
        "Hi [UserName], what account type do you want? Production or Sandbox?",
        samples=("make it {AccountType}", "a {AccountType} one", "the type is {AccountType}"),
    ),
    slot(
        "RootEmail",
        "AMAZON.EmailAddress",
        "[UserName], what e-mail should I use for the root account? Hint: use a restricted access mailbox",
        samples=("use {RootEmail}", "the root e-mail is {RootEmail}"),
    ),
    slot(
        "AccountOU",
        "AccountOU",
        "[UserName], what is the OU this account should belong to? Hint: choose Experiment or Demos",
        samples=(
            "put it in {AccountOU}",
            "the OU is {AccountOU}",
            "in {AccountOU}",
            "move it to {AccountOU}",
        ),
    ),
    slot("AccountName", "AccountName", "What should the account be called?", required=False),
    intentConfirmationSetting={
        "promptSpecification": {
            "messageGroups": message_groups(
                "Shall I create a {AccountType} account in OU {AccountOU} with root e-mail {RootEmail}?"
            ),
            "maxRetries": 3,
        },
        "declinationResponse": {"messageGroups": message_groups("Then the order is not placed.")},
        "active": True,
    },
)
HELP = intent(
    "Help",
    ("help", "what can you do", "how does this work", "show me the commands", "what can I ask", "I am lost"),
)
MY_REQUESTS = intent(
    "MyRequests",
    (
        "my requests",
        "show my requests",
        "list my requests",
        "what have I requested",
        "what are my open requests",
    ),
)
REQUEST_STATUS = intent(
    "RequestStatus",
    (
        "status of {RequestId}",
        "what is the status of {RequestId}",
        "how is {RequestId} going",
        "is {RequestId} done yet",
        "what happened to my request",
        "where is my account",
    ),
    slot("RequestId", "RequestId", "Which request? It looks like qm-1a2b3c4d."),
)
CANCEL_REQUEST = intent(
    "CancelRequest",
    (
        "cancel {RequestId}",
        "withdraw {RequestId}",
        "please cancel my request",
        "stop the request {RequestId}",
    ),
    slot("RequestId", "RequestId", "Which request should I cancel?"),
)
FALLBACK = {
    "intentName": "FallbackIntent",
    "parentIntentSignature": "AMAZON.FallbackIntent",
    "sampleUtterances": [],
    "intentClosingSetting": {"closingResponse": {"messageGroups": message_groups("What would you like to do?")}},
}


def vending_definition() -> dict[str, Any]:
    """One bot locale as describe_bot_locale, describe_intent and describe_slot give its parts."""
    return {
        "botName": "ChatOps",
        "localeId": "en_US",
        "nluIntentConfidenceThreshold": 0.4,
        "slotTypes": [ACCOUNT_TYPE, ACCOUNT_OU, ACCOUNT_NAME, REQUEST_ID],
        "intents": [VEND, HELP, MY_REQUESTS, REQUEST_STATUS, CANCEL_REQUEST, FALLBACK],
    }
