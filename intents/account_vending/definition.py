"""What people say to get an account, and what they are asked. Names and questions are the original bot's."""

from __future__ import annotations

from bot.house import House
from bot.intent import Definition, Slot, SlotType, Value
from intents.account_vending.extras import slot_of, utterances_of

NAME = "AWSAccountVending"

ORIGINAL = (
    "Hi I want a new account please",
    "Hi I would like to get an account",
    "I need a new account on AWS",
    "please create an account for my team",
    "I want to create a new account",
    "I would like to create a new account",
    "I would like to get a new AWS account",
)

MORE = (
    "new account",
    "create an account",
    "vend an account",
    "order an AWS account",
    "open a new account for us",
    "please set up an AWS account",
    "can I get a new AWS account",
    "could you create an account for my team",
    "we need another account",
    "give me an account",
    "request a new account",
    "I need a {AccountType} account",
    "I want a {AccountType}",
    "I'd like a {AccountType} in {AccountOU}",
    "get me a {AccountType} for my team",
    "I want a {AccountType} account please",
    "give me a {AccountType} account",
    "create a {AccountType} account",
    "can I have a {AccountType} account",
    "we need a new {AccountType} account for our team",
    "new {AccountType} account in {AccountOU}",
    "I need a {AccountType} account in {AccountOU}",
    "I need a {AccountType} account in {AccountOU} for {RootEmail}",
    "create a {AccountType} account in {AccountOU} with root e-mail {RootEmail}",
    "create a {AccountType} account for {RootEmail}",
    "create a {AccountType} account for {RootEmail} in the {AccountOU} OU",
    "I need an account in {AccountOU}",
    "please make an account under {AccountOU} for {RootEmail}",
    "open an account with the address {RootEmail}",
    "I need an account for {RootEmail}",
    "order a {AccountType} account called {AccountName}",
    "I need a {AccountType} account named {AccountName} in {AccountOU} for {RootEmail}",
    "create an account called {AccountName}",
    "set up a {AccountType} environment in AWS for us",
    "spin up a {AccountType} account",
    "I want to play with AWS and need an account",
    "provision a {AccountType} account in OU {AccountOU}",
    "the account should be called {AccountName}",
    "call it {AccountName}",
    "name it {AccountName}",
    "put it in {AccountOU}",
    "make it {AccountType}",
    "use {RootEmail}",
    "{RootEmail}",
    "{AccountType} account in {AccountOU} for {RootEmail}",
    "{AccountType} {AccountOU} {RootEmail}",
    "{AccountType} in {AccountOU} for {RootEmail}",
    "{AccountType} {RootEmail} {AccountOU}",
    "account please",
    "we would like an AWS account for our project",
    "my team wants its own AWS account",
    "is it possible to get an account",
    "how do I get an account",
    "requesting a new {AccountType} account",
    "an additional account for our department in {AccountOU}",
    "we are starting a project and need a {AccountType} account under {AccountOU}",
    "set up an account named {AccountName} in {AccountOU}",
    "I need an account with the name {AccountName}",
    "I need somewhere to try things out on AWS",
    "we would need an account of our own on AWS",
    "my colleagues and I need an account in the cloud",
    "would you open one more account for us",
    "our application needs its own AWS account",
    "I'm looking for a {AccountType} account to experiment with",
)


SIGN_IN = Slot(
    "SSOUser",
    SlotType("SSOUser", listed=False, samples=("Ana Lopez", "Kim van den Berg", "Li Wei")),
    prompt="What are your first and last name? They go on your sign-in to the account.",
    again="What are your first and last name?",
    required=False,
    label="Your name",
    utterances=("my name is {SSOUser}", "my full name is {SSOUser}"),
)
"""Asked only when neither the channel nor Identity Center knows the names of whoever signs in first."""

_SO = r"(?:and |so |but )?"
ASIDES = (
    (
        rf"{_SO}(?:how long (?:does|will|would|do) .*|how long|how (?:much time|many minutes|many hours|fast|soon)\b.*"
        r"|when (?:is|will) (?:it|that|the account)\b.*ready.*)",
        "Control Tower usually takes 20 to 30 minutes once the order is approved; I tell you each step here.",
    ),
    (
        rf"{_SO}(?:how much (?:does|will|would|is)\b.*|how much|does (?:it|that) cost\b.*"
        r"|what(?:'s| is| are| does| will| would)? .*\b(?:costs?|price)\b.*"
        r"|is (?:it|that|an account|the account) (?:free|expensive)\b.*)",
        "An account itself costs nothing; AWS bills your organization for what is used in it.",
    ),
    (
        rf"{_SO}(?:who (?:(?:has|needs) to |must |can |may |will |would )?(?:approves?|decides?|signs? off)\b.*"
        r"|who(?:m)? (?:is|will be|do you) ask.*|whose approval\b.*)",
        "Those who approve orders of this account type are asked, never whoever orders; I name them once it is placed.",
    ),
)


def define(house: House) -> Definition:
    """Return the definition for the house's account types."""
    types = SlotType("AccountType", tuple(Value(t.name, t.synonyms) for t in house.account_types))
    return Definition(
        name=NAME,
        title="account order",
        things="accounts",
        description="Order a new AWS account through Control Tower's Account Factory.",
        utterances=(*ORIGINAL, *MORE, *(words for extra in house.extra_slots for words in utterances_of(extra))),
        slots=(
            Slot(
                "AccountType",
                types,
                prompt="Hi {name}, what account type do you want? {choices}?",
                again="What account type do you want? {choices}?",
                label="Account type",
                why="The account type decides which rules the account gets and who approves it.",
                utterances=(
                    "{AccountType}",
                    "a {AccountType} account",
                    "make it {AccountType}",
                    "{AccountType} please",
                ),
            ),
            Slot(
                "RootEmail",
                SlotType("AMAZON.EmailAddress"),
                prompt="{name}, what e-mail should I use for the root account? Hint: use a restricted access mailbox",
                again="What e-mail should I use for the root account? Hint: use a restricted access mailbox",
                label="Root e-mail",
                why=(
                    "AWS ties every account to an e-mail address of its own: the account's root user signs in with it, "
                    "and AWS writes to it about security and billing."
                ),
                utterances=(
                    "{RootEmail}",
                    "use {RootEmail}",
                    "the e-mail is {RootEmail}",
                    "change the e-mail to {RootEmail}",
                ),
            ),
            Slot(
                "AccountOU",
                SlotType(
                    "AccountOU", listed=False, samples=("Workloads", "Workloads/Prod", "Research and Development")
                ),
                prompt="{name}, what is the OU this account should belong to? Hint: choose {choices}",
                again="What is the OU this account should belong to? Hint: choose {choices}",
                label="OU",
                why="An OU is the organizational unit that holds the account; its guardrails apply to the account.",
                utterances=(
                    "{AccountOU}",
                    "in {AccountOU}",
                    "put it in {AccountOU}",
                    "move it to {AccountOU}",
                    "the {AccountOU} OU",
                ),
            ),
            *(slot_of(extra) for extra in house.extra_slots),
            Slot(
                "AccountName",
                SlotType("AccountName", listed=False, samples=("payments-prod", "web-shop-dev", "data-lab-sandbox")),
                prompt="What should the account be called?",
                required=False,
                label="Account name",
                utterances=(
                    "call it {AccountName}",
                    "name it {AccountName}",
                    "rename it to {AccountName}",
                    "the name should be {AccountName}",
                    "the name is {AccountName}",
                    "call the account {AccountName}",
                    "name the account {AccountName}",
                ),
            ),
            *((SIGN_IN,) if house.ask_names != "never" else ()),
        ),
        examples=(
            "I need a sandbox account",
            "I need a sandbox account in Demos for team-x+aws@corp.example",
            "Create a production account called billing-prod",
        ),
        confirmation=("Shall I create a {AccountType} account in OU {AccountOU} with root e-mail {RootEmail}?"),
        declined="OK, nothing was ordered.",
        asides=ASIDES,
    )
