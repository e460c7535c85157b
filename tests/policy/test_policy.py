"""The shipped policies, attacked; and what happens when files change."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cedarpy
import pytest

from bot.activity import Person
from bot.directory import Directory
from bot.errors import Refused, SettingsError
from bot.house import AccountType, Freeze, House
from bot.intent import Definition
from bot.policy import Decision, Policy, Subject, Surroundings, asked_candidates
from bot.policy.checking import check_folder
from bot.policy.parsing import parse_folder, texts_of

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
ANA, BO, EVE = (Person(f"p_{n}", f"{n}@corp.example", name="Boss") for n in ("ana", "bo", "eve"))
REQUEST = Subject(
    "qm-22222222",
    "AWSAccountVending",
    "production",
    ANA.email,
    (BO.email, ANA.email),
    {"AccountType": "Production"},
)
VENDING = Definition("AWSAccountVending", "order", "Order.", ())
UNNAMED = Definition("LaunchRocket", "launch", "Launch.", ())


@pytest.fixture
def directory_file(tmp_path: Path) -> Path:
    return tmp_path / "directory.yml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "policies", tmp_path / "policies"))


@pytest.fixture
def policy(folder: Path, directory_file: Path) -> Policy:
    return Policy(folder, Directory(directory_file, (BO.email,)))


def test_a_named_approver_approves(policy: Policy) -> None:
    decision = policy.may_approve(BO, REQUEST, channel="mail")
    assert decision == Decision(
        True, "Only the people named as approvers of this request may decide it.", "named-approvers-approve"
    )


@pytest.mark.parametrize(
    ("intent", "shape", "told", "untold"),
    [
        ("CloseAccount", "change", "An account's owner, and operators, may ask to", "questions"),
        ("CloseAccount", "change", "move, hand over, update, renew or close it.", "products"),
        ("LaunchRocket", "change", "No policy lets eve@corp.example do this", "Everybody"),
    ],
)
def test_a_refusal_tells_only_of_policies_that_concern_what_was_asked(
    policy: Policy, intent: str, shape: str, told: str, untold: str
) -> None:
    decision = policy.may_ask(EVE, Definition(intent, "it", "It.", ()), shape, {"Relation": "other"})
    assert not decision.allowed
    assert told in decision.reason
    assert untold not in decision.reason


def test_a_requester_never_approves_even_when_named(policy: Policy) -> None:
    decision = policy.may_approve(ANA, REQUEST, channel="console")
    assert not decision.allowed
    assert decision.policy == "four-eyes"


@pytest.mark.parametrize(
    ("requester", "approver"),
    [
        ("bo+me@corp.example", "bo@corp.example"),
        ("bo@corp.example", "bo+aws@corp.example"),
        ("bo+one@corp.example", "bo+two+three@corp.example"),
    ],
)
def test_a_tag_makes_no_second_pair_of_eyes(policy: Policy, requester: str, approver: str) -> None:
    request = replace(REQUEST, requester=requester, approvers=(approver, "cy@corp.example"))
    decision = policy.may_approve(Person("p_bo", approver), request, channel="mail")
    assert (decision.allowed, decision.policy) == (False, "four-eyes")
    assert not policy.can_be_approved(request, (approver,))
    assert policy.can_be_approved(request, (approver, "cy@corp.example"))


def test_the_same_local_part_elsewhere_is_somebody_else(policy: Policy) -> None:
    request = replace(REQUEST, requester="bo+me@other.example")
    assert policy.may_approve(BO, request, channel="mail").allowed


def test_a_display_name_decides_nothing(policy: Policy) -> None:
    impostor = Person("p_x", EVE.email, name="bo@corp.example", given_name="bo@corp.example")
    assert not policy.may_approve(impostor, REQUEST, channel="mail").allowed


def test_a_rest_key_never_approves(policy: Policy) -> None:
    decision = policy.may_approve(BO, REQUEST, channel="rest")
    assert (decision.allowed, decision.policy) == (False, "keys-never-approve")


def test_an_address_can_not_break_out_of_its_quotes(policy: Policy) -> None:
    hostile = Person("p_x", 'x"},{"uid":"Person::\\"bo@corp.example')
    assert not policy.may_approve(hostile, REQUEST, channel="mail").allowed


def test_nothing_named_means_refused_and_says_whom_to_ask(policy: Policy) -> None:
    decision = policy.may_ask(ANA, UNNAMED, "change", {})
    assert not decision.allowed
    assert decision.policy == ""
    assert "No policy lets ana@corp.example do this" in decision.reason
    assert "ask your platform team" in decision.reason
    with pytest.raises(Refused, match="No policy lets"):
        decision.require()


def test_anybody_known_may_ask_for_accounts_and_query(policy: Policy) -> None:
    assert policy.may_ask(EVE, VENDING, "change", {"AccountType": "Sandbox"}).allowed
    assert policy.may_ask(EVE, Definition("Help", "help", "Help.", ()), "query", {}).allowed


def test_strangers_neither_see_nor_cancel(policy: Policy) -> None:
    assert not policy.may_see(EVE, REQUEST).allowed
    assert not policy.may_cancel(EVE, REQUEST).allowed
    assert not policy.may_cancel(BO, REQUEST).allowed
    assert policy.may_see(BO, REQUEST).allowed
    assert policy.may_cancel(ANA, REQUEST).allowed


def test_operators_see_and_cancel_but_do_not_approve(policy: Policy, directory_file: Path) -> None:
    directory_file.write_text("people: [{email: Eve@Corp.Example, groups: [operators]}]", encoding="utf-8")
    assert policy.may_see(EVE, REQUEST).allowed
    assert policy.may_cancel(EVE, REQUEST).allowed
    assert policy.may_audit(EVE).allowed
    assert not policy.may_approve(EVE, REQUEST, channel="console").allowed


def test_people_read_only_their_own_audit(policy: Policy) -> None:
    assert policy.may_audit(ANA, ANA.email).allowed
    assert not policy.may_audit(ANA, BO.email).allowed
    assert not policy.may_audit(ANA).allowed


def test_a_lone_approver_can_not_be_satisfied(policy: Policy) -> None:
    alone = Subject("qm-22222222", "AWSAccountVending", "standard", ANA.email, (ANA.email,), {})
    assert not policy.can_be_approved(alone, (ANA.email,))
    assert policy.can_be_approved(REQUEST, (ANA.email, BO.email))


def test_a_changed_policy_counts_at_the_next_press(policy: Policy, folder: Path) -> None:
    assert policy.may_approve(BO, REQUEST, channel="mail").allowed
    before = policy.version
    (folder / "freeze.cedar").write_text(
        '@id("freeze") @reason("Frozen until Monday.") forbid (principal, action == Action::"approve", resource);',
        encoding="utf-8",
    )
    decision = policy.may_approve(BO, REQUEST, channel="mail")
    assert (decision.allowed, decision.reason) == (False, "Frozen until Monday.")
    assert policy.version != before


def test_a_policy_that_does_not_parse_leaves_the_old_ones_in_force(policy: Policy, folder: Path) -> None:
    (folder / "broken.cedar").write_text("permit (everything);", encoding="utf-8")
    assert policy.may_approve(BO, REQUEST, channel="mail").allowed
    assert not policy.may_approve(EVE, REQUEST, channel="mail").allowed


@pytest.mark.parametrize("content", [b"", b" \n", b"// f\xfcr", b"permit (everything);", None])
def test_a_policy_file_that_is_lost_while_running_still_forbids(
    policy: Policy, folder: Path, content: bytes | None
) -> None:
    freeze = folder / "freeze.cedar"
    freeze.write_text('@id("freeze") forbid (principal, action == Action::"approve", resource);', encoding="utf-8")
    assert not policy.may_approve(BO, REQUEST, channel="mail").allowed
    if content is None:
        freeze.unlink()
    else:
        freeze.write_bytes(content)
    assert policy.may_approve(BO, REQUEST, channel="mail").policy == "freeze"
    assert policy.fault.startswith("kept old: ")
    freeze.write_text("// Thawed.", encoding="utf-8")
    assert policy.may_approve(BO, REQUEST, channel="mail").allowed
    assert policy.fault == ""


def test_a_policy_folder_that_vanishes_leaves_the_old_ones_in_force(policy: Policy, folder: Path) -> None:
    shutil.rmtree(folder)
    assert policy.may_approve(BO, REQUEST, channel="mail").allowed
    assert not policy.may_approve(ANA, REQUEST, channel="mail").allowed
    assert "nobody could do anything" in policy.fault


def test_policies_that_are_not_utf_8_are_refused_at_start(folder: Path, directory_file: Path) -> None:
    (folder / "latin.cedar").write_bytes(b"// f\xfcr")
    with pytest.raises(SettingsError, match=r"latin\.cedar is not UTF-8"):
        Policy(folder, Directory(directory_file, ()))


FROZEN = """
@id("{id}") @reason("{reason}") forbid (principal, action == Action::"{action}", resource) when {{ {when} }};
"""


def test_a_policy_sees_the_freeze_of_a_single_stack(folder: Path, directory_file: Path) -> None:
    (folder / "stacks.cedar").write_text(
        FROZEN.format(id="frozen", reason="It is frozen.", action="approve", when='context.stack_freeze == "Sale"')
        + FROZEN.format(
            id="unasked", reason="Not now.", action="ask", when='context.stack_freeze != "" && !context.frozen'
        ),
        encoding="utf-8",
    )
    assert [fault for fault in check_folder(folder) if fault.startswith("stacks.cedar")] == []
    sale = Freeze(name="Sale", since=NOON - timedelta(hours=1), until=NOON + timedelta(hours=1), stacks=("checkout-*",))
    house = House(account_types=(AccountType(name="Sandbox"),), freezes=(sale,))
    moments = [NOON]
    surroundings = Surroundings(lambda: moments[-1], None, house.freeze_at, freeze_of=house.freeze_named)
    policy = Policy(folder, Directory(directory_file, ()), surroundings)
    frozen, other = (replace(REQUEST, stacks=(name,)) for name in ("checkout-prod", "orders-prod"))
    assert policy.may_approve(BO, frozen, channel="mail").policy == "frozen"
    assert (
        policy.may_approve(BO, replace(frozen, stacks=("orders-prod", "checkout-prod")), channel="mail").allowed
        is False
    )
    assert policy.may_approve(BO, other, channel="mail").allowed
    assert policy.may_approve(BO, REQUEST, channel="mail").allowed
    for slot in ("Stack", "Component"):
        assert policy.may_ask(ANA, VENDING, "change", {slot: "checkout-prod"}).policy == "unasked"
        assert policy.may_ask(ANA, VENDING, "change", {slot: "orders-prod"}).allowed
    moments.append(NOON + timedelta(hours=1))
    assert policy.may_approve(BO, frozen, channel="mail").allowed
    assert not policy.may_approve(BO, frozen, channel="mail", circumstances=surroundings.at(NOON)).allowed


def test_a_policy_can_look_at_the_values(policy: Policy, folder: Path) -> None:
    (folder / "values.cedar").write_text(
        '@id("no-production") @reason("Production is ordered by the platform team.") '
        'forbid (principal, action == Action::"ask", resource) '
        'when { context.values has AccountType && context.values.AccountType == "Production" };',
        encoding="utf-8",
    )
    assert policy.may_ask(EVE, VENDING, "change", {"AccountType": "Sandbox"}).allowed
    refused = policy.may_ask(EVE, VENDING, "change", {"AccountType": "Production"})
    assert refused.reason == "Production is ordered by the platform team."


def test_no_policies_at_all_are_refused_at_start(tmp_path: Path, directory_file: Path) -> None:
    with pytest.raises(SettingsError, match="nobody could do anything"):
        Policy(tmp_path / "none", Directory(directory_file, ()))


def test_the_directory_names_approvers_by_intent_and_tier(directory_file: Path) -> None:
    directory_file.write_text(
        """
people:
  - {email: Bo@Corp.example, groups: [platform]}
  - {email: cy@corp.example, groups: [platform]}
approvals:
  - {intent: AWSAccountVending, tier: production, ask: ["group:platform", "Ops@corp.example"]}
shared_mailboxes: [ops@corp.example]
""",
        encoding="utf-8",
    )
    directory = Directory(directory_file, ("default@corp.example",))
    asked = directory.asked("AWSAccountVending", "production")
    assert asked.approvers == ("bo@corp.example", "cy@corp.example")
    assert asked.shared == ("ops@corp.example",)
    assert directory.asked("AWSAccountVending", "standard").approvers == ("default@corp.example",)
    assert asked_candidates(asked, directory) == ("bo@corp.example", "cy@corp.example")


def test_a_broken_directory_leaves_the_old_one_in_force(directory_file: Path) -> None:
    directory_file.write_text("people: [{email: bo@corp.example, groups: [operators]}]", encoding="utf-8")
    directory = Directory(directory_file, ())
    directory_file.write_text("people: [{mail: bo@corp.example}]  # a slip", encoding="utf-8")
    os.utime(directory_file, (1, 1))
    assert directory.groups_of("bo@corp.example") == ("operators",)


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"people: [{email: b\xf6@corp.example}]", b"[", None])
def test_a_directory_that_is_lost_while_running_stays_in_force(directory_file: Path, content: bytes | None) -> None:
    directory_file.write_text("approvals: [{ask: [bo@corp.example]}]", encoding="utf-8")
    directory = Directory(directory_file, ("default@corp.example",))
    assert directory.fault == ""
    if content is None:
        directory_file.unlink()
    else:
        directory_file.write_bytes(content)
    assert directory.asked("X", "standard").approvers == ("bo@corp.example",)
    assert directory.fault.startswith("kept old: ")
    directory_file.write_text("approvals: [{ask: [cy@corp.example]}]", encoding="utf-8")
    assert directory.asked("X", "standard").approvers == ("cy@corp.example",)
    assert directory.fault == ""


def test_an_empty_directory_is_fine_at_start_and_may_be_filled_later(directory_file: Path) -> None:
    directory_file.touch()
    directory = Directory(directory_file, ("default@corp.example",))
    assert directory.asked("X", "standard").approvers == ("default@corp.example",)
    directory_file.write_text("# still nothing\n", encoding="utf-8")
    assert directory.everybody() == ()
    assert directory.fault == ""
    directory_file.write_text("approvals: [{ask: [bo@corp.example]}]", encoding="utf-8")
    assert directory.asked("X", "standard").approvers == ("bo@corp.example",)


def test_everybody_may_be_taken_out_of_the_directory_on_purpose(directory_file: Path) -> None:
    directory_file.write_text("people: [{email: bo@corp.example, groups: [operators]}]", encoding="utf-8")
    directory = Directory(directory_file, ())
    directory_file.write_text("people: []", encoding="utf-8")
    assert directory.groups_of("bo@corp.example") == ()
    assert directory.fault == ""


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("people: [{email: bo}]", r"people\.0\.email"),
        ("approvals: [{ask: [bo@corp.example, '@']}]", r"approvals\.0\.ask\.1"),
        ("shared_mailboxes: [team at corp]", r"shared_mailboxes\.0"),
    ],
)
def test_what_is_no_address_is_refused_at_start(directory_file: Path, text: str, where: str) -> None:
    directory_file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=where + ".*not an e-mail address"):
        Directory(directory_file, ())


def test_addresses_with_letters_of_their_own_are_kept_as_mails_write_them(directory_file: Path) -> None:
    directory_file.write_text(
        "people: [{email: Bo@stra\u00dfe.example, groups: [a]}]\n"
        "approvals: [{ask: [group:a, team@stra\u00dfe.example]}]\nshared_mailboxes: [Team@stra\u00dfe.example]",
        encoding="utf-8",
    )
    asked = Directory(directory_file, ()).asked("X", "standard")
    assert asked.approvers == ("bo@xn--strae-oqa.example",)
    assert asked.shared == ("team@xn--strae-oqa.example",)


def test_a_directory_that_is_not_utf_8_is_refused_at_start(directory_file: Path) -> None:
    directory_file.write_bytes(b"# f\xfcr\n")
    with pytest.raises(SettingsError, match="not UTF-8"):
        Directory(directory_file, ())


def test_a_broken_directory_is_refused_at_start(directory_file: Path) -> None:
    directory_file.write_text("people: [{mail: bo@corp.example}]", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"people\.0\.email"):
        Directory(directory_file, ())


@pytest.mark.parametrize("groups", [(), ("operators",), ("break-glass", "approvers"), ("nobody-knows-it",)])
def test_policies_for_groups_that_one_is_not_in_make_no_difference(tmp_path: Path, groups: tuple[str, ...]) -> None:
    folder = Path(shutil.copytree(ROOT / "policies", tmp_path / "policies"))
    (folder / "more.cedar").write_text(
        '@id("a") @reason("A.") permit (principal is Person in Group::"operators", action, resource);'
        '@id("b") @reason("B.") forbid (principal in Group::"approvers", action == Action::"see", resource);'
        '@id("c") @reason("C.") permit (principal == Person::"ana@corp.example", action, resource);'
        '@id("d") @reason("D.") permit (principal in Group::"operators", action, resource) when { context.none };'
        '@id("e") @reason("E.") permit (principal in Group::"break-glass", action, resource)'
        ' when { context.channel like "con*" || principal.mailbox == "\\"\\n" };',
        encoding="utf-8",
    )
    parsed = parse_folder(folder)
    text = "\n".join(texts_of(folder).values())
    assert {"operators", "approvers", "break-glass"} <= {rule.head for rule in parsed.rules.values()}
    person = {"type": "Person", "id": "ana@corp.example"}
    parents = [{"type": "Group", "id": group} for group in groups]
    entities = [{"uid": person, "attrs": {"mailbox": "ana@corp.example"}, "parents": parents}]
    for action in ("see", "pause", "break-glass", "delegate-for", "unheard-of"):
        request = {"principal": person, "action": {"type": "Action", "id": action}, "resource": person}
        request["context"] = {"channel": "console"}
        chosen = parsed.about(action, groups)
        few = cedarpy.is_authorized(request, chosen.policies, entities)
        whole = cedarpy.is_authorized(request, text, entities)
        assert few.allowed == whole.allowed
        assert sorted(map(chosen.own, few.diagnostics.reasons)) == sorted(whole.diagnostics.reasons)
        failed = re.compile(r"`(policy\d+|usual:policy\d+)`")
        own, all_of_them = ([failed.findall(str(e)) for e in r.diagnostics.errors] for r in (few, whole))
        assert sorted(chosen.own(name) for found in own for name in found) == sorted(n for f in all_of_them for n in f)
