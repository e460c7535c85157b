"""How long policies take to decide: 200 of them, 5,000 people in the directory."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import yaml

from bot.activity import Person
from bot.directory import Directory
from bot.intent import Definition
from bot.policy import Policy, Subject

POLICIES, PEOPLE, DECISIONS = 200, 5_000, 3_000
SHIPPED = Path(__file__).parents[1] / "policies"


def measure_decisions() -> list[float]:
    """Return the seconds of each of many decisions of all kinds, among as many people and policies."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(SHIPPED, Path(name) / "policies"))
        (folder / "many.cedar").write_text("\n".join(many_policies()), encoding="utf-8")
        directory = Path(name) / "directory.yml"
        people = [{"email": _address(n), "groups": [f"team-{n % 300}", "staff"]} for n in range(PEOPLE)]
        directory.write_text(yaml.safe_dump({"people": people}), encoding="utf-8")
        policy = Policy(folder, Directory(directory, (_address(1), _address(2))))
        return [_time(policy, number) for number in range(DECISIONS)]


def many_policies() -> list[str]:
    """Return the policies of many teams, which come on top of the shipped ones."""
    return [
        f'@id("rule-{n}") @reason("Team {n} may.") permit (principal in Group::"team-{n}", action in '
        f'[Action::"ask", Action::"see"], resource) when {{ context.environment in Environment::"type-{n}" && '
        f"context.hour > {n % 24} }};"
        for n in range(POLICIES - 30)
    ]


def _time(policy: Policy, number: int) -> float:
    person, other = Person("", _address(number % PEOPLE)), _address(1)
    values = {"AccountType": "Sandbox", "AccountOU": "Workloads/Web/Shop"}
    subject = Subject("qm-22222222", "AWSAccountVending", "standard", person.email, (other, _address(2)), values)
    definition = Definition("AWSAccountVending", "", "", ())
    begun = time.perf_counter()
    match number % 5:
        case 0:
            policy.may_ask(person, definition, "change", values, channel="slack")
        case 1:
            policy.may_approve(Person("", other), subject, channel="email")
        case 2:
            policy.may_see(person, subject)
        case 3:  # refused, in words that say who could
            policy.may_see(Person("", _address(number + 2)), subject)
        case _:
            policy.requirement(subject)
    return time.perf_counter() - begun


def _address(number: int) -> str:
    return f"person-{number}@corp.example"
