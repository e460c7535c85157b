"""What people say about accounts that exist: questions, and the changes of an account's life."""

from __future__ import annotations

from bot.intent import Definition, Slot, SlotType, Value
from intents.accounts import phrases

REFERENCE = SlotType("AccountReference", listed=False, samples=("payments-prod", "web-shop-dev", "123456789012"))
LAST_MONTH, THIS_MONTH = "last month", "this month"
OWNER, MINE, OWNERLESS, EXPIRING, SPEND = (
    "AccountOwner",
    "MyAccounts",
    "OwnerlessAccounts",
    "ExpiringAccounts",
    "AccountSpend",
)
MOVE, CHANGE_OWNER, UPDATE, RENEW, CLOSE = (
    "MoveAccount",
    "ChangeAccountOwner",
    "UpdateAccount",
    "RenewAccount",
    "CloseAccount",
)

PRONOUN = SlotType(
    "AccountPronoun", (Value("it", ("that one", "this one", "this account", "that account", "the account")),)
)
_ASKED = Slot("Account", REFERENCE, required=False, label="Account")
_SPOKEN_OF = Slot("That", PRONOUN, required=False, label="Account")
"""The account that was spoken of: a slot of its own, so that a name that was not understood is never taken for it."""


def _account(verb: str, *utterances: str) -> Slot:
    return Slot(
        "Account",
        REFERENCE,
        prompt=f"Which account should I {verb}? Give its id, its name or its root e-mail.",
        again="Which account? Give its id, its name or its root e-mail.",
        label="Account",
        utterances=("{Account}", "the account {Account}", "I mean {Account}", *utterances),
    )


def define_owner() -> Definition:
    """Return the definition of the question who owns an account."""
    return Definition(
        name=OWNER,
        title="owner of an account",
        description="Tell who owns an account.",
        utterances=(
            "who owns {Account}",
            "find the owner of {Account}",
            "who has got {Account}",
            "who is behind account {Account}",
            "the name of the owner of account {Account}",
            "who is the boss of account {Account}",
            "who owns account {Account}",
            "who owns the account {Account}",
            "whose account is {Account}",
            "whose is {Account}",
            "who is the owner of {Account}",
            "who is the owner of account {Account}",
            "owner of {Account}",
            "who answers for {Account}",
            "who is responsible for account {Account}",
            "who do I ask about account {Account}",
            "whom does account {Account} belong to",
            "who does {Account} belong to",
            "tell me who owns {Account}",
            "show account {Account}",
            "what do you know about account {Account}",
            "details of account {Account}",
            "who is responsible for {Account}",
            "who is the contact for {Account}",
            "who owns {That}",
            "whose is {That}",
            "who is the owner of {That}",
            *phrases.OWNER,
        ),
        slots=(_ASKED, _SPOKEN_OF),
        examples=("who owns Demo Booth?",),
    )


def define_mine() -> Definition:
    """Return the definition of the question for one's own accounts."""
    return Definition(
        name=MINE,
        title="list of your accounts",
        description="List the accounts that you own.",
        utterances=(
            "my accounts",
            "give me an overview of my accounts",
            "all the accounts that I have",
            "accounts that are owned by me",
            "which accounts do I own",
            "which accounts are mine",
            "list my accounts",
            "show my accounts",
            "show me my AWS accounts",
            "what accounts do I have",
            "which accounts do I have",
            "accounts that I own",
            "accounts that belong to me",
            "all the accounts I own",
            *phrases.MINE,
        ),
        examples=("my accounts",),
    )


def define_ownerless() -> Definition:
    """Return the definition of the question for accounts that nobody answers for."""
    return Definition(
        name=OWNERLESS,
        title="list of accounts without an owner",
        description="List accounts without an owner.",
        utterances=(
            "accounts without an owner",
            "which accounts have no owner",
            "list accounts without owner",
            "show accounts that have no owner",
            "which accounts belong to nobody",
            "orphaned accounts",
            "are there ownerless accounts",
            "accounts nobody owns",
            "accounts that nobody answers for",
            *phrases.OWNERLESS,
        ),
        examples=("accounts without an owner",),
    )


def define_expiring() -> Definition:
    """Return the definition of the question for accounts that are due to be closed."""
    return Definition(
        name=EXPIRING,
        title="list of accounts that expire",
        description="List accounts that expire soon: yours, and all for operators.",
        utterances=(
            "which accounts expire soon",
            "which accounts expire",
            "which accounts are about to expire",
            "which of my accounts expire soon",
            "expiring accounts",
            "what expires soon",
            "when does my sandbox expire",
            "when do my accounts expire",
            "list expiring accounts",
            "show accounts that expire this month",
            "when does {Account} expire",
            "when does {That} expire",
            "does {Account} expire",
            *phrases.EXPIRING,
        ),
        slots=(_ASKED, _SPOKEN_OF),
        examples=("which accounts expire soon?",),
    )


def define_spend() -> Definition:
    """Return the definition of the question for what an account spent."""
    period = SlotType(
        "SpendPeriod",
        (
            Value(LAST_MONTH, ("the last month", "the month before", "previous month")),
            Value(THIS_MONTH, ("so far", "month to date", "the month so far", "current month")),
        ),
    )
    return Definition(
        name=SPEND,
        title="spend of an account",
        description="Tell what an account spent, by service.",
        utterances=(
            "what did {That} spend",
            "how much did {That} spend",
            "how much did {That} cost",
            "what does {That} cost",
            "how much does {Account} cost",
            "show the AWS bill of {Account}",
            "how many dollars did {Account} use",
            "where does the money of {Account} go",
            "give me the bill of {Account} {Period}",
            "what did {Account} spend",
            "what did {Account} spend {Period}",
            "what did account {Account} spend",
            "what did {That} spend {Period}",
            "how much did {Account} spend",
            "how much did {Account} spend {Period}",
            "how much did account {Account} cost",
            "how much did account {Account} cost {Period}",
            "what does account {Account} cost",
            "what does {Account} cost",
            "spend of {Account}",
            "spend of account {Account} {Period}",
            "costs of account {Account}",
            "costs of {Account} {Period}",
            "what is the bill of account {Account}",
            "how much has account {Account} spent",
            "how much has {Account} spent {Period}",
            "what did my accounts spend",
            "what do my accounts cost",
            "how much did my accounts spend {Period}",
            "what did we spend {Period}",
            "how much did all accounts cost {Period}",
            *phrases.SPEND,
        ),
        slots=(_ASKED, _SPOKEN_OF, Slot("Period", period, required=False, label="Month")),
        examples=("what did Webshop Prod spend last month?", "what do my accounts cost?"),
    )


def define_move() -> Definition:
    """Return the definition of moving an account to another OU."""
    return Definition(
        name=MOVE,
        title="move of an account",
        description="Move an account to another OU.",
        utterances=(
            "move an account",
            "put {Account} into the {AccountOU} OU",
            "transfer {Account} to the OU {AccountOU}",
            "shift account {Account} to {AccountOU}",
            "move account {Account}",
            "move account {Account} to {AccountOU}",
            "move the account {Account} to the OU {AccountOU}",
            "move account {Account} into {AccountOU}",
            "move {Account} to {AccountOU}",
            "relocate account {Account} to {AccountOU}",
            "migrate account {Account} into {AccountOU}",
            "move an account to another OU",
            *phrases.MOVE,
        ),
        slots=(
            _account("move", "move {Account}"),
            Slot(
                "AccountOU",
                SlotType(
                    "AccountOU", listed=False, samples=("Workloads", "Workloads/Prod", "Research and Development")
                ),
                prompt="Which OU should the account be moved to? For example {choices}.",
                label="OU",
                utterances=("{AccountOU}", "to {AccountOU}", "into {AccountOU}", "to the OU {AccountOU}"),
            ),
        ),
        examples=("move the account Demo Booth to Experiment",),
        confirmation="Shall I move the account {Account} to the OU {AccountOU}?",
        declined="OK, nothing was moved.",
    )


def define_change_owner() -> Definition:
    """Return the definition of naming another owner."""
    return Definition(
        name=CHANGE_OWNER,
        title="change of an account's owner",
        description="Name another owner of an account.",
        utterances=(
            "change the owner of an account",
            "hand {Account} over to somebody else",
            "a colleague takes over {Account}",
            "change the owner of {Account}",
            "make {NewOwner} the owner of account {Account}",
            "make {NewOwner} the owner of {Account}",
            "set the owner of account {Account} to {NewOwner}",
            "set {NewOwner} as the owner of {Account}",
            "hand account {Account} over to {NewOwner}",
            "hand {Account} over to {NewOwner}",
            "give account {Account} to {NewOwner}",
            "give {Account} to {NewOwner}",
            "{NewOwner} should own {Account}",
            "the new owner of {Account} is {NewOwner}",
            *phrases.CHANGE_OWNER,
        ),
        slots=(
            _account("give to another owner"),
            Slot(
                "NewOwner",
                SlotType("AMAZON.EmailAddress"),
                prompt="Who is to be the owner? Give their e-mail address.",
                label="New owner",
                utterances=("{NewOwner}", "to {NewOwner}", "the new owner is {NewOwner}"),
            ),
        ),
        examples=("change the owner of Demo Booth to cy@corp.example",),
        confirmation="Shall I make {NewOwner} the owner of the account {Account}?",
        declined="OK, the owner stays.",
    )


def define_update() -> Definition:
    """Return the definition of bringing an account up to date."""
    return Definition(
        name=UPDATE,
        title="update of an account",
        description="Run Account Factory again for an account, at its newest version.",
        utterances=(
            "update an account",
            "re-provision {Account}",
            "refresh the baseline of {Account}",
            "run the account factory on {Account} again",
            "update account {Account}",
            "update the account {Account}",
            "bring account {Account} up to date",
            "bring the account {Account} up to date",
            "upgrade account {Account} to the newest version",
            "update account {Account} to the newest version of Account Factory",
            "run Account Factory again for {Account}",
            "run Account Factory again for account {Account}",
            "re-run account factory for account {Account}",
            "repair account {Account}",
            "fix the drift of account {Account}",
            *phrases.UPDATE,
        ),
        slots=(_account("update"),),
        examples=("update the account Demo Booth",),
        confirmation="Shall I update the account {Account}?",
        declined="OK, nothing was updated.",
    )


def define_renew(days: int) -> Definition:
    """Return the definition of renewing an account for so many days."""
    return Definition(
        name=RENEW,
        title="renewal of an account",
        description=f"Keep an account that expires for {days} more days.",
        utterances=(
            "renew account {Account}",
            "please extend {Account}",
            "we still need {Account} so extend it",
            "renew the account {Account}",
            "renew {Account}",
            f"renew account {{Account}} for {days} days",
            f"renew the account {{Account}} for {days} days",
            f"renew {{Account}} for {days} days",
            f"renew for {days} days",
            f"renew it for {days} days",
            "renew it",
            "renew my sandbox",
            "extend account {Account}",
            "extend the account {Account}",
            f"extend the account {{Account}} by {days} days",
            "prolong account {Account}",
            "keep account {Account} for another month",
            "keep the account {Account} longer",
            "renew an account",
            *phrases.RENEW,
        ),
        slots=(_account("renew", "renew {Account}"),),
        examples=("renew the account Demo Booth",),
        confirmation=f"Shall I renew the account {{Account}} for {days} days?",
        declined="OK, nothing was renewed.",
    )


def define_close() -> Definition:
    """Return the definition of closing an account."""
    return Definition(
        name=CLOSE,
        title="closing of an account",
        description="Close an account for good.",
        destroys=True,
        utterances=(
            "close an account",
            "could somebody close {Account}",
            "get rid of {Account}",
            "remove my account",
            "remove {Account}",
            "trash account {Account}",
            "scrap {Account}",
            "close {Account}",
            "close account {Account}",
            "close {Account} for good",
            "I want to close {Account}",
            "close the account {Account}",
            "please close the account {Account}",
            "delete account {Account}",
            "delete the account {Account}",
            "delete an account",
            "delete my account",
            "remove account {Account}",
            "terminate account {Account}",
            "terminate the account {Account}",
            "decommission account {Account}",
            "decommission the account {Account}",
            "get rid of account {Account}",
            "get rid of an account",
            "I no longer need the account {Account}",
            "we don't need the account {Account} any more",
            "I want to close an account",
            "suspend account {Account}",
            "shut down my account",
            "shut down {Account}",
            "shut down {Account} for good",
            "close {Account} please",
            "close {Account} now",
            "shut down an account",
            "shut down account {Account}",
            "shut down the account {Account}",
            "shut {Account} down",
            *phrases.CLOSE,
        ),
        slots=(_account("close", "close {Account}", "shut down {Account}"),),
        examples=("close the account Demo Booth",),
        confirmation="Shall I close the account {Account} for good?",
        declined="OK, nothing was closed.",
    )
