"""What is ruled out, announced, repeated or mere noise, in the shipped bot's own definition."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.lex.engine import Engine
from tests.understanding.conversation import Person, ou_hints
from tests.understanding.talks import open_talks

ORDER = "AWSAccountVending"
ORDERED = "I need a sandbox account in Demos for ops@corp.example"
_numbers = itertools.count()


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Person]:
    """Makes people who talk with the bot's own definition and know its OUs."""

    async def read_definition(folder: Path) -> dict[str, Any]:
        async with open_talks(folder) as talks:
            return talks.definition

    engine = Engine(asyncio.run(read_definition(tmp_path_factory.mktemp("meaning"))))
    return lambda: Person(engine, f"meaning-{next(_numbers)}", hints=ou_hints())


@pytest.mark.parametrize(
    "text",
    [
        "I don't want a production account, I want a sandbox in Demos for o10@corp.example",
        "I do not want a production account, I want a sandbox in Demos for o10@corp.example",
        "I really don't need a prod account. I need a sandbox in Demos for o10@corp.example",
        "a sandbox account in Demos for o10@corp.example, I don't want production",
        "a sandbox account in Demos for o10@corp.example, it should not be production",
        "a sandbox account in Demos for o10@corp.example, no production account",
        "no production account, a sandbox in Demos for o10@corp.example",
        "not a production account but a sandbox in Demos for o10@corp.example",
        "instead of a production account I want a sandbox in Demos for o10@corp.example",
        "rather than production I need a sandbox account in Demos for o10@corp.example",
        "I need an account that isn't production but sandbox, in Demos, for o10@corp.example",
        "I want a sandbox in Demos, not in Experiment, for o10@corp.example",
        "a sandbox account for o10@corp.example in Demos, I don't want it in Experiment",
        "I don't want it in Experiment, create a sandbox account in Demos for o10@corp.example",
    ],
)
def test_what_is_ruled_out_is_not_taken(shipped: Callable[[], Person], text: str) -> None:
    person = shipped().says(text)

    assert person.intent == ORDER
    assert person.slots == {"AccountType": "Sandbox", "AccountOU": "Demos", "RootEmail": "o10@corp.example"}


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("I need a new account that isn't production", "AccountType"),
        ("I need a new account but I don't want it in Demos", "AccountOU"),
        ("create an account, but not in the Experiment OU", "AccountOU"),
    ],
)
def test_what_is_only_ruled_out_fills_nothing(shipped: Callable[[], Person], text: str, slot: str) -> None:
    person = shipped().says(text)

    assert person.intent == ORDER
    assert slot not in person.slots


@pytest.mark.parametrize(
    ("text", "kind"),
    [("why not a sandbox account", "Sandbox"), ("no, I need a production account", "Production")],
)
def test_a_no_to_something_else_rules_nothing_out(shipped: Callable[[], Person], text: str, kind: str) -> None:
    assert shipped().says("new account").says(text).slots["AccountType"] == kind


NAMES = (
    "Robert'); DROP TABLE accounts;--",
    "Robert'); DELETE FROM accounts; --",
    "\N{ROCKET}rocket",
    "rocket\N{ROCKET}",
    "<script>alert(1)</script>",
    "<b>x</b>",
    "{{7*7}}",
    "$HOME",
    "../../etc/passwd",
    "a&b",
    "x|y",
    "foo(bar)",
    "(x)",
    "_private",
    "c++",
    "rocket!",
    "frozen-ab12cd",
    "cancel",
    "close-reports",
    "My Team Sandbox",
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "frame",
    [ORDERED + " named {}", "I need a sandbox account named {} in Demos for ops@corp.example"],
)
def test_announced_names_are_kept_as_typed(shipped: Callable[[], Person], frame: str, name: str) -> None:
    person = shipped().says(frame.format(name))

    assert person.intent == ORDER
    assert person.slots == {
        "AccountType": "Sandbox",
        "AccountOU": "Demos",
        "RootEmail": "ops@corp.example",
        "AccountName": name,
    }


@pytest.mark.parametrize("name", [name for name in NAMES if name != "cancel"])
def test_names_of_an_order_under_way_are_kept_as_typed(shipped: Callable[[], Person], name: str) -> None:
    assert shipped().says(ORDERED).says(f"call it {name}").slots["AccountName"] == name


@pytest.mark.parametrize(
    "text",
    [
        'create an account named "rocket"',
        "create an account named 'rocket'",
        "create an account named rocket.",
        "create an account named rocket, please",
        "create an account (called rocket) in Demos",
        "account please; name: rocket; ou: Demos",
        "account please, name=rocket",
    ],
)
def test_what_surrounds_a_name_is_no_part_of_it(shipped: Callable[[], Person], text: str) -> None:
    assert shipped().says(text).slots["AccountName"] == "rocket"


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE x;--<b>",
        "'; DROP TABLE requests;--",
        "SELECT * FROM requests;",
        "UNION SELECT account, status FROM requests",
        "delete from requests where id = 1",
        "' OR 1=1 --",
        "<b>status</b>",
        '<a href="x">my requests</a>',
        "<script>alert('requests')</script>",
        '{"account": "new"}',
        "def account(): return requests",
        "import os; os.system('list requests')",
        "console.log(requests[0])",
        "{{requests}}",
        "$(my requests)",
        "### <<<>>> my ###",
        "!!!???###",
    ],
)
def test_code_and_signs_mean_nothing(shipped: Callable[[], Person], text: str) -> None:
    assert shipped().says(text).intent == "FallbackIntent"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("my requests!!!", "MyRequests"),
        ("`my requests`", "MyRequests"),
        ("**my requests**", "MyRequests"),
        ("help!!!???", "Help"),
        ("new account :-)", ORDER),
        ("*new account* (sandbox)", ORDER),
        ("new account; ou=Demos; type=sandbox", ORDER),
    ],
)
def test_lively_punctuation_is_no_noise(shipped: Callable[[], Person], text: str, intent: str) -> None:
    assert shipped().says(text).intent == intent


@pytest.mark.parametrize("text", ["sandbox", "Sandbox", "sandbox.", "a sandbox", "sandbox please", "demos", "Demos"])
def test_a_value_said_again_moves_nothing(shipped: Callable[[], Person], text: str) -> None:
    person = shipped().says(ORDERED)
    before = person.slots
    person.says(text)

    assert person.asked == "ConfirmIntent"
    assert person.slots == before


@pytest.mark.parametrize(
    ("text", "slot", "value"),
    [
        ("production", "AccountType", "Production"),
        ("Experiment", "AccountOU", "Experiment"),
        ("put it in Sandbox", "AccountOU", "Sandbox"),
        ("the OU should be Sandbox", "AccountOU", "Sandbox"),
    ],
)
def test_another_value_still_changes_its_slot(shipped: Callable[[], Person], text: str, slot: str, value: str) -> None:
    person = shipped().says(ORDERED)
    before = person.slots
    person.says(text)

    assert person.slots == {**before, slot: value}


def test_a_value_that_is_asked_for_is_taken_though_another_slot_holds_it(shipped: Callable[[], Person]) -> None:
    person = shipped().says("I need a sandbox account for ops@corp.example")

    assert person.asked == "AccountOU"
    assert person.says("sandbox").slots["AccountOU"].casefold() == "sandbox"


@pytest.mark.parametrize("text", ["close my account", "my account is frozen", "cancel the account named rocket"])
def test_acts_outside_names_still_open_no_order(shipped: Callable[[], Person], text: str) -> None:
    assert shipped().says(text).intent != ORDER


def test_a_correction_beside_its_slots_name_answers_nothing_else(shipped: Callable[[], Person]) -> None:
    person = shipped().says("I need a sandbox account for ops@corp.example").says("no, the mail is b@corp.example")

    assert person.asked == "AccountOU"
    assert person.slots == {"AccountType": "Sandbox", "RootEmail": "b@corp.example"}


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("retry pool-7", {"Deployment": "pool-7"}),
        ("pool-7 failed, try again", {"Deployment": "pool-7"}),
        ("skip silo-globex", {"Deployment": "silo-globex"}),
        ("retry pool 7", {"Deployment": "7"}),
    ],
)
def test_a_name_is_not_cut_at_its_hyphen(shipped: Callable[[], Person], text: str, slots: dict[str, str]) -> None:
    assert shipped().says(text).slots == slots
