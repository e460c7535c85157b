"""`policy check`, `policy test` and `policy what-if`: the shipped policies, and slips in others."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from bot.activity import Person
from bot.commands import main
from bot.directory import Directory
from bot.intent import Definition
from bot.policy import Circumstances, Policy, Subject
from bot.policy.parsing import REQUIRE, parse_folder
from bot.policy.stories import read_table, tell
from tests.approvals.desk import open_desk

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = {"sandbox": ("Sandbox", "standard"), "production": ("Production", "production")}


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Commands set up the process' logging, to a stream that ends with the test."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "policies", tmp_path / "policies"))


def test_the_shipped_policies_keep_to_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "check", str(ROOT / "policies")]) == 0, capsys.readouterr().out


def test_every_story_of_the_shipped_policies_comes_out_as_told() -> None:
    assert tell(read_table(ROOT / "policies" / "stories.yml"), ROOT / "policies", ENVIRONMENTS) == []


def test_every_shipped_policy_has_a_story() -> None:
    told = {story.by for story in read_table(ROOT / "policies" / "stories.yml").stories}
    rules = parse_folder(ROOT / "policies").rules.values()
    assert {rule.name for rule in rules if rule.actions != [REQUIRE]} - told == set()


@pytest.mark.parametrize(
    ("policy", "fault"),
    [
        ('@id("x") @reason("r") permit (principal, action == Action::"aks", resource);', "aks"),
        ('@id("x") permit (principal, action == Action::"ask", resource);', "x has no @reason"),
        ('@id("four-eyes") @reason("r") permit (principal, action == Action::"ask", resource);', "called four-eyes"),
        ('@id("x") @reason("r") @aprovals("2") permit (principal, action == Action::"ask", resource);', "@aprovals"),
        (
            '@id("x") @reason("r") forbid (principal, action == Action::"ask", resource) '
            'when { context.values.AccountType == "Production" };',
            "AccountType",
        ),
    ],
)
def test_a_slip_is_told_by_the_name_of_its_policy(
    folder: Path, policy: str, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "slip.cedar").write_text(policy, encoding="utf-8")
    assert main(["policy", "check", str(folder)]) == 1
    assert fault in capsys.readouterr().out


@pytest.mark.parametrize(
    ("annotations", "words"),
    [
        ('@approvals("two")', "must be a whole number"),
        ('@approvals("2") @each("yes")', "needs @from"),
        ('@from("group:")', "names no group"),
        ('@acr("mfa")', "needs @sign_in"),
        ('@after("3")', "needs @then"),
    ],
)
def test_a_demand_that_can_not_be_read_is_refused(
    folder: Path, annotations: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f'@id("x") @reason("r") {annotations} permit (principal, action == Action::"require", resource is Request);'
    (folder / "slip.cedar").write_text(text, encoding="utf-8")
    assert main(["policy", "check", str(folder)]) == 2
    assert words in capsys.readouterr().err


def test_a_story_that_comes_out_otherwise_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stories = folder / "stories.yml"
    stories.write_text(
        "stories: [{story: Keys approve, who: bo@corp.example, does: approve, expect: allowed, when: {channel: rest},"
        " request: {requester: ana@corp.example, approvers: [bo@corp.example]}}]",
        encoding="utf-8",
    )
    assert main(["policy", "test", "--policies", str(folder)]) == 1
    assert "Keys approve: refused, by keys-never-approve" in capsys.readouterr().out


def test_slots_of_the_intents_are_known_without_a_word_in_the_schema(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = (
        '@id("x") @reason("r") forbid (principal, action == Action::"ask", resource is Intent) '
        'when {{ context.values has {slot} && context.values.{slot} == "x" }};'
    )
    (folder / "slot.cedar").write_text(policy.format(slot="SSOUser"), encoding="utf-8")
    assert main(["policy", "check", str(folder)]) == 0
    (folder / "slot.cedar").write_text(policy.format(slot="SsoUsr"), encoding="utf-8")
    assert main(["policy", "check", str(folder)]) == 1
    assert "SsoUsr" in capsys.readouterr().out


def test_policies_see_hours_environments_and_ous(folder: Path, tmp_path: Path) -> None:
    (folder / "more.cedar").write_text(
        '@id("office-hours") @reason("r") forbid (principal, action == Action::"ask", resource) '
        'when { !context.working && context.channel == "slack" };'
        '@id("no-workloads") @reason("r") forbid (principal, action == Action::"ask", resource) '
        'when { context.unit in OU::"Workloads" && context.environment in Environment::"production" };',
        encoding="utf-8",
    )
    policy = Policy(folder, Directory(tmp_path / "none.yml", ()))
    policy.surroundings = type(policy.surroundings)(environments=ENVIRONMENTS)
    ana, vending = Person("", "ana@corp.example"), Definition("AWSAccountVending", "", "", ())
    night = Circumstances(3, "Sun", is_working=False)
    place = {"AccountOU": "Workloads/Web", "AccountType": "Production"}
    assert policy.may_ask(ana, vending, "change", {}, channel="slack", circumstances=night).policy == "office-hours"
    assert policy.may_ask(ana, vending, "change", {}, channel="console", circumstances=night).allowed
    assert policy.may_ask(ana, vending, "change", place).policy == "no-workloads"
    assert policy.may_ask(ana, vending, "change", {**place, "AccountType": "Sandbox"}).allowed
    assert policy.may_ask(ana, vending, "change", {**place, "AccountOU": "WorkloadsX"}).allowed


def test_what_forbids_is_not_lost_when_it_fails(folder: Path, tmp_path: Path) -> None:
    (folder / "slip.cedar").write_text(
        '@id("slip") forbid (principal, action == Action::"ask", resource) when { context.values.Nothing == "x" };'
        '@id("two") @approvals("2") permit (principal, action == Action::"require", resource) '
        'when { context.values.Nothing == "x" };',
        encoding="utf-8",
    )
    policy = Policy(folder, Directory(tmp_path / "none.yml", ()))
    refused = policy.may_ask(Person("", "ana@corp.example"), Definition("AWSAccountVending", "", "", ()), "change", {})
    assert (refused.allowed, refused.policy) == (False, "slip")
    subject = Subject("", "AWSAccountVending", "standard", "ana@corp.example", (), {})
    assert policy.requirement(subject).parts[0].approvals == 2


async def test_what_if_tells_which_recorded_decisions_would_differ(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from bot.commands.policies import _what_if
    from bot.settings import Settings

    async with open_desk(tmp_path, people={"bo": [], "ana": []}) as desk:
        desk.clock.at = desk.clock.at.now(desk.clock.at.tzinfo)
        request = await desk.place()
        await desk.decide("bo", request)
        changed = Path(shutil.copytree(desk.policies, tmp_path / "changed"))
        settings = Settings(
            database_url=f"sqlite:///{tmp_path / 'test.sqlite'}",
            policy_dir=desk.policies,
            directory_file=desk.directory_file,
            approvers="bo@corp.example",
        )
        assert await _what_if(settings, changed, 31) == 0
        (changed / "rules.cedar").write_text(
            '@id("never") @reason("Bo does not.") forbid (principal == Person::"bo@corp.example", '
            'action == Action::"approve", resource);'
            '@id("two") @reason("r") @approvals("2") permit (principal, action == Action::"require", resource);',
            encoding="utf-8",
        )
        capsys.readouterr()
        assert await _what_if(settings, changed, 31) == 1
    told = capsys.readouterr().out
    assert f"{request}  bo@corp.example decides on console" in told
    assert "refused (never): Bo does not." in told
    assert "1 approval" in told
    assert "2 approvals" in told
    assert "2 decisions about 1 requests" in told
