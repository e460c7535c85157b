"""Writes the IAM policies into docs/aws.md: the least that each capability needs, from the calls the code makes.

So are those that `python -m bot lex policy` prints, in a file beside the code that makes the calls.

`python -m tools.iam write` puts them between the markers, `check` tells whether they are up to date (part of
`make lint`), and `show` prints one policy with your own names in its ARNs, ready to be put:
python -m tools.iam show management --region eu-west-1 --management 111122223333 --organization o-a1b2c3d4e5
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from tools.calls import CHAOS, DEPLOYER, MANAGEMENT, MEMBER, OWN, ROOT, TOOLCHAIN, Call, Unresolvable, find_calls
from tools.permissions import (
    FACTS,
    REQUEST_CONDITION,
    STOPS,
    Facts,
    Names,
    UnknownOperation,
    actions_of,
    is_read,
    resources_of,
)

GUIDE = ROOT / "docs" / "aws.md"
LEX_POLICIES = ROOT / "adapters" / "lex" / "building" / "policy.json"
BEGIN, END = "<!-- Written by python -m tools.iam write. -->", "<!-- End of what is written. -->"
TITLES = {
    "account_vending": "Vending accounts",
    "chaos": "Experiments",
    "releases": "Roll-outs",
    "core": "Reading the organization",
    "audit": "Anchoring the record",
    "doctor": "`python -m bot doctor`",
    "identity_center": "Groups kept in Identity Center (`groups:` in directory.yml)",
    "accounts": "The life of accounts",
    "insights": "Insights",
    "email": "Mail through SES, notices through SNS",
    "sns": "Subscribing to SNS topics at start (`SNS_SUBSCRIBE`)",
    "lex": "Understanding through Lex",
    "lex_building": "`python -m bot lex diff`, `deploy` and `rollback`",
    "reports": "The monthly report",
    "products": "Products of the Service Catalog",
}
ROLE_WORDS = {
    OWN: "the bot's own identity",
    DEPLOYER: "whoever deploys the Lex bot",
    MANAGEMENT: "the management role (`MANAGEMENT_ROLE_ARN`)",
    CHAOS: "each role for experiments (`CHAOS_ROLE_ARN`)",
    TOOLCHAIN: "the role for pipelines (`TOOLCHAIN_ROLE_ARN`)",
    MEMBER: "the role in member accounts (`MEMBER_ROLE_NAME`)",
}
PLANNING, WORK = "planning", "work"
PHASES = (PLANNING, WORK)
DEFAULT = Names()
Statement = dict[str, Any]


def policy_of(calls: Iterable[Call], names: Names = DEFAULT, phases: Sequence[str] = PHASES) -> dict[str, Any]:
    """Return the least policy for these calls, which one role makes: {"Version", "Statement"}.

    *Planning* is all that only looks, whenever it is done. *Work* is what changes something through an assumed
    role, and what AWS does on account of that: allowed only in sessions that are tagged with a request. What stops
    something is always allowed: whoever stops it carries out no request.
    """
    reads: set[str] = set()
    changes: set[str] = set()
    condition: dict[str, Any] = REQUEST_CONDITION
    for call in calls:
        (reads if is_read(call.operation) else changes).update(actions_of(call))
        condition = {} if call.role in (OWN, DEPLOYER) else REQUEST_CONDITION
    statements = []
    stops = changes & STOPS
    changes -= STOPS
    if PLANNING in phases:
        statements += _grouped("Planning", reads, names, {})
        statements += _grouped("Stopping", stops, names, {})
    if WORK in phases:
        statements += _grouped("Work", changes, names, condition)
        for facts in dict.fromkeys(FACTS[action] for action in sorted(changes & FACTS.keys())):
            held = ("ses:", "iam:")
            within = {a: resources_of(a, names) if a.startswith(held) else ("*",) for a in facts.actions}
            statements += _statements(f"Within{facts.name}", within, condition)
    return {"Version": "2012-10-17", "Statement": statements}


def _grouped(sid: str, actions: Iterable[str], names: Names, condition: dict[str, Any]) -> list[Statement]:
    return _statements(sid, {action: resources_of(action, names) for action in actions}, condition)


def _statements(sid: str, actions: dict[str, tuple[str, ...]], condition: dict[str, Any]) -> list[Statement]:
    """Return one statement for each set of resources, in the order of their actions."""
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for action in sorted(actions):
        groups[actions[action]].append(action)
    statements = []
    for number, (resources, listed) in enumerate(groups.items()):
        statement: Statement = {"Sid": sid + (str(number + 1) if number else ""), "Effect": "Allow", "Action": listed}
        statement["Resource"] = resources[0] if len(resources) == 1 else list(resources)
        statements.append({**statement, "Condition": condition} if condition else statement)
    return statements


def assuming(resource: str) -> Statement:
    """Return the statement that lets an identity assume a role and tag its session."""
    return {"Sid": "Assume", "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": resource}


def whole_policy(
    role: str, names: Names, *, phases: Sequence[str] = PHASES, calls: Sequence[Call] | None = None
) -> dict[str, Any]:
    """Return all that one role needs for every capability, with the right to assume the next role."""
    known = find_calls() if calls is None else list(calls)
    policy = policy_of((c for c in known if c.role == role), names, phases)
    if role == OWN:
        policy["Statement"].insert(0, assuming(names.management_role))
    if role == MANAGEMENT and any(c.role == MEMBER for c in known):
        policy["Statement"].insert(0, assuming(f"arn:aws:iam::*:role/{names.member_role}"))
    return policy


def document() -> str:
    """Return the written part of the guide."""
    calls = find_calls()
    parts = []
    for capability in sorted({c.capability for c in calls}, key=lambda name: (name != "core", name)):
        parts.append(f"### {TITLES.get(capability, capability.replace('_', ' ').capitalize())}\n")
        own = [c for c in calls if c.capability == capability]
        for role in (OWN, DEPLOYER, MANAGEMENT, MEMBER, CHAOS, TOOLCHAIN):
            listed = [c for c in own if c.role == role]
            if not listed:
                continue
            both = (((PLANNING,), "planning"), ((WORK,), "work"))
            for phases, words in ((PHASES, ""),) if role in (OWN, DEPLOYER) else both:
                policy = policy_of(listed, phases=phases)
                if policy["Statement"]:
                    parts.append(f"For {ROLE_WORDS[role]}{f', {words}' if words else ''}:\n\n{_fenced(policy)}\n")
            parts += [f"{fact}\n" for fact in _told_facts(listed)]
    return "\n".join(parts)


def _told_facts(calls: Sequence[Call]) -> list[str]:
    named: dict[Facts, list[str]] = defaultdict(list)
    for action in sorted({action for call in calls for action in actions_of(call)} & FACTS.keys()):
        named[FACTS[action]].append(f"`{action}`")
    return [
        f"`Within{facts.name}` is not derived from the code. It is what AWS does on account of "
        f"{', '.join(actions)} with the caller's rights: {facts.source}."
        for facts, actions in named.items()
    ]


def _fenced(policy: dict[str, Any]) -> str:
    lines = ['{\n  "Version": "2012-10-17",\n  "Statement": [']
    shown = []
    for statement in policy["Statement"]:
        entries = [f"      {json.dumps(name)}: {_shown(value)}" for name, value in statement.items()]
        shown.append("    {\n" + ",\n".join(entries) + "\n    }")
    return "```json\n" + lines[0] + "\n" + ",\n".join(shown) + "\n  ]\n}\n```"


def _shown(value: Any) -> str:
    line = json.dumps(value)
    if not isinstance(value, list) or len(line) < 100:
        return line
    return "[\n" + ",\n".join(f"        {json.dumps(entry)}" for entry in value) + "\n      ]"


def lex_policies() -> str:
    """Return what `python -m bot lex policy` prints, as JSON by who gets it."""
    calls = find_calls()
    bot = [c for c in calls if c.capability == "lex" and c.role == OWN]
    policies = {"deployer": policy_of(c for c in calls if c.role == DEPLOYER), "bot": policy_of(bot)}
    return json.dumps(policies, indent=1) + "\n"


def with_document(guide: str) -> str:
    """Return the guide with its written part made anew; ValueError when the markers are gone."""
    before, begin, rest = guide.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{GUIDE.name} has lost its markers; put {BEGIN} and {END} where the policies belong.")
    return f"{before}{BEGIN}\n\n{document()}\n{END}{after}"


def main(arguments: Sequence[str]) -> int:
    """Write, check or show; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.iam", description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("write", help="put the policies into docs/aws.md")
    commands.add_parser("check", help="tell whether docs/aws.md is up to date")
    show = commands.add_parser("show", help="print one role's whole policy as JSON")
    show.add_argument("role", choices=(OWN, MANAGEMENT, MEMBER, CHAOS, TOOLCHAIN, DEPLOYER))
    show.add_argument("--phase", choices=PHASES, action="append", help="planning or work alone")
    for entry in fields(Names):
        show.add_argument(f"--{entry.name.replace('_', '-')}", default=entry.default)
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "show":
            names = Names(**{entry.name: getattr(chosen, entry.name) for entry in fields(Names)})
            print(json.dumps(whole_policy(chosen.role, names, phases=chosen.phase or PHASES), indent=2))
            return 0
        guide = GUIDE.read_text(encoding="utf-8")
        written, policies = with_document(guide), lex_policies()
    except (Unresolvable, UnknownOperation, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    if chosen.command == "write":
        GUIDE.write_text(written, encoding="utf-8")
        LEX_POLICIES.write_text(policies, encoding="utf-8")
    elif written != guide or policies != LEX_POLICIES.read_text(encoding="utf-8"):
        print(
            "The policies in docs/aws.md and adapters/lex/building/policy.json are not those of the code: "
            "run `python -m tools.iam write`.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
