"""From facts to the plan of a roll-out: who comes when, what is left out and why, and what stands against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from bot.plan import Check, Plan, Resource, digest_of
from bot.releases.waves import Deployment, Layout, Place, Strategy, Wave, ideal_seconds, lay_out
from bot.releases.windows import window_of
from bot.releases.wording import read_strategy, say_strategy
from bot.words import counted, lasting
from intents.releases.definitions import ROLL_OUT
from intents.releases.shift_planning import calls_of, checks_of, details_of, out_of, pins_of
from intents.releases.toolchain import PINNABLE

STACK, ACCOUNT, COMPONENT, EXPERIMENT = "stack", "account", "component", "experiment"
"""Kinds of resources by which requests of all kinds know what they touch."""
NAMED = 200
"""Deployments that a plan's effects name one by one; of more, each wave's digest stands for its members."""
SHOWN = 8


def stack_of(component: str, key: str) -> str:
    """Return the name of the stack that a deployment's pipeline deploys: shop-silo-acme."""
    return f"{component}-{key}"


def layout_of(facts: Mapping[str, Any]) -> tuple[Strategy, Layout]:
    """Return the strategy and the waves that follow from facts; what can't be changed at all is left out of them."""
    listed = [deployment_of(d) for d in facts["deployments"]]
    now = datetime.fromisoformat(facts["now"])
    strategy = read_strategy(facts["slots"]["Waves"], listed, now)
    if not strategy.limits.parallel:
        strategy = replace(strategy, limits=replace(strategy.limits, parallel=int(facts["parallel"])))
    allowed, unprovisioned = set(facts["allowed"]), set(facts["unprovisioned"])
    troubled = {i["key"]: i["name"] for i in facts["insights"]}
    out: list[tuple[Deployment, str]] = []
    going: list[Deployment] = []
    for deployment in listed:
        if deployment.account not in allowed:
            out.append((deployment, f"its account {deployment.account} is no active one under {facts['where']}"))
        elif deployment.codedeploy and (why := out_of(facts, deployment)):
            out.append((deployment, why))
        elif deployment.key in unprovisioned:
            out.append((deployment, f"there is no pipeline {deployment.pipeline}"))
        elif deployment.key in troubled:
            out.append((deployment, f"an insight of high severity is open: {troubled[deployment.key]}"))
        else:
            going.append(deployment)
    layout = lay_out(going, strategy, facts["version"], facts["revision"]["commit"], now)
    return strategy, replace(layout, left_out=(*out, *layout.left_out))


def deployment_of(data: Mapping[str, Any]) -> Deployment:
    """Rebuild a deployment from its JSON types."""
    return Deployment(**{**data, "tags": tuple(data["tags"])})


def plan_of(facts: Mapping[str, Any]) -> Plan:
    """Return the plan. Pure: the same facts give the same plan."""
    strategy, layout = layout_of(facts)
    component, version, revision = facts["component"], facts["version"], facts["revision"]
    members = [d for wave in layout.waves for d in wave.members]
    hotfix = facts["slots"].get("HotfixReason", "")
    is_hotfix = bool(hotfix)
    tenants = sum(d.tenants for d in members)
    loud = "HOTFIX: " if is_hotfix else ""
    experiments = facts["experiments"]
    is_production = (
        is_hotfix or any(d.tier == "production" for d in members) or any(e["production"] for e in experiments)
    )
    return Plan(
        intent=ROLL_OUT,
        summary=f"{loud}Roll out {component} {version} to {counted(len(members), 'deployment')} "
        f"in {counted(len(layout.waves), 'wave')}",
        effects={
            "call": calls_of(members),
            "component": component,
            "version": version,
            "commit": revision["commit"],
            "author": revision["author"],
            "source": facts["source"],
            "region": facts["region"],
            "strategy": say_strategy(strategy),
            "waves": [_effect(wave, len(members), facts) for wave in layout.waves],
            "hotfix": hotfix,
            "experiments": [{"value": e["value"], **e["effects"]} for e in experiments],
        },
        details=(
            *((("HOTFIX", hotfix),) if is_hotfix else ()),
            ("Version", f"{component} {version}"),
            *((("Commit", _commit_words(revision)),) if _piped(members) or not members else ()),
            *details_of(facts, members),
            *((f"Wave {n}", _wave_words(w, facts)) for n, w in enumerate(layout.waves, 1)),
            *(row for e in experiments for row in _experiment_rows(e, strategy, layout)),
            ("Reaches", f"{counted(len(members), 'deployment')}, {counted(tenants, 'tenant')}"),
            ("Takes", _time_words(layout, strategy, facts)),
            ("Limits", _limit_words(strategy)),
            ("Halts", _halt_words(strategy)),
            *((("Between waves", "; ".join(gate_words(*g) for g in strategy.gates)),) if strategy.gates else ()),
            *((("Left as they are", _out_words(layout.left_out)),) if layout.left_out else ()),
        ),
        checks=_checks(facts, layout, members, strategy),
        tier="production" if is_production else "standard",
        touches=_touches(component, members),
        ask=("group:hotfix",) if is_hotfix and facts["hotfix_group"] else (),
    )


def _experiment_rows(one: Mapping[str, Any], strategy: Strategy, layout: Layout) -> list[tuple[str, str]]:
    """Return what is shown of an experiment: before which waves it runs, and what it does to what."""
    before = [wave + 1 for wave, value in layout.experiments if value == one["value"]]
    when = "each wave but the first" if ("experiment", one["value"]) in strategy.gates else f"wave {_numbers(before)}"
    if when == "wave ":
        return [("Experiment", f"{one['effects']['name']} is left out: there is no wave on both of its sides")]
    told = dict(one["shown"])
    what, where = told.pop("Experiment"), told.pop("Where")
    return [("Experiment", f"before {when}: {what}; {where}"), *((f"Experiment: {n}", w) for n, w in told.items())]


def _numbers(numbers: Sequence[int]) -> str:
    return " and ".join(str(n) for n in numbers)


def _effect(wave: Wave, total: int, facts: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        [d.key, d.account, d.region, d.pipeline or d.codedeploy, d.window, *pins_of(facts, d)] for d in wave.members
    ]
    named = {"members": rows} if total <= NAMED else {"digest": digest_of(rows)}
    return {"name": wave.name, "count": len(rows), "tenants": wave.tenants, **named}


def _touches(component: str, members: Sequence[Deployment]) -> tuple[Resource, ...]:
    accounts = dict.fromkeys(d.account for d in members)
    stacks = dict.fromkeys(stack_of(component, d.key) for d in members[:NAMED])
    return (
        Resource(COMPONENT, component),
        *(Resource(ACCOUNT, a) for a in accounts),
        Resource(STACK, component),
        *(Resource(STACK, s) for s in stacks),
    )


def _checks(
    facts: Mapping[str, Any], layout: Layout, members: Sequence[Deployment], strategy: Strategy
) -> tuple[Check, ...]:
    component, version, revision = facts["component"], facts["version"], facts["revision"]
    checks = [
        Check("Hotfix", "waits", f"{component} is frozen ({facts['freeze']['name']}); this hotfix goes through it.")
        if facts["slots"].get("HotfixReason")
        else Check(
            "Freeze",
            "fails",
            f"{component} is frozen: {facts['freeze']['name']}, until {facts['freeze']['until']}.",
            "HotfixReason",
            "If it can't wait, say “as a hotfix because …”; its own approvers are asked then.",
        )
    ] if facts["freeze"] else []  # fmt: skip
    if not members:
        sentence = f"There is no deployment of {component} that {version} could be rolled out to."
        checks.append(Check("Deployments", "fails", sentence, next_step=_out_words(layout.left_out)))
    if _piped(members) and not revision["commit"]:
        sentence = f"The commit of {version} can't be looked up in {_source_words(facts['source'])}."
        checks.append(
            Check("Commit", "fails", sentence, "Commit", "Say which it is, such as “the commit is 1a2b3c4d5e6f7a8b”.")
        )
    elif _piped(members) and (facts["source"] or {}).get("provider") not in PINNABLE:
        sentence = f"{_source_words(facts['source'])} can't be pinned to a commit, so another might run than is shown."
        checks.append(Check("Commit", "fails", sentence, next_step="Roll it out from its pipelines themselves."))
    elif revision["commit"]:
        checks.append(Check("Commit", "ok", f"pinned: {revision['commit'][:12]}, {revision['found_as'] or 'as said'}"))
    for one in facts["busy"]:
        if one["kind"] == "lock":
            words = f"Request {one['id']} is rolling {component} out; this one waits in the queue behind it."
            checks.append(Check("Queue", "waits", words))
        else:
            words = f"Request {one['id']} is breaking something on purpose there: {one['summary']}."
            checks.append(
                Check("Experiments", "fails", words, next_step=f"Say “stop {one['id']}”, or wait for its end.")
            )
    checks += [Check("Open insights", "waits", what) for what in facts["unread"]]
    for one in facts["experiments"]:
        step = "Choose another experiment, or leave it out of the waves."
        checks += [Check("Experiment", "fails", f"{one['effects']['name']}: {s}", "Waves", step) for s in one["never"]]
        checks += [Check("Experiment", "waits", f"{one['effects']['name']}, as of now: {s}") for s in one["now"]]
    for kind, value in strategy.gates:
        host = urlsplit(value).netloc.casefold() if kind == "http" else ""
        if kind == "http" and host not in facts["hosts"]:
            step = "Whoever runs the bot names such hosts in RELEASE_CHECK_HOSTS."
            checks.append(Check("HTTP check", "fails", f"{host} may not be asked between waves.", "Waves", step))
    checks += checks_of(facts, members, strategy.shift)
    if not any(c.result == "fails" for c in checks) and (piped := _piped(members)):
        checks.append(Check("Pipelines", "ok", f"all {len(piped)} are there, in accounts that may be deployed into"))
    return tuple(checks)


def _piped(members: Sequence[Deployment]) -> list[Deployment]:
    return [d for d in members if not d.codedeploy]


def _commit_words(revision: Mapping[str, str]) -> str:
    if not revision["commit"]:
        return "unknown"
    by = f" by {revision['author']}" if revision["author"] else ""
    message = revision["message"].partition("\n")[0][:100]
    return f"{revision['commit'][:12]}{by}" + (f": {message}" if message else "")


def _wave_words(wave: Wave, facts: Mapping[str, Any]) -> str:
    names = ", ".join(d.key for d in wave.members[:SHOWN])
    more = f" and {len(wave.members) - SHOWN} more" if len(wave.members) > SHOWN else ""
    now, waits = datetime.fromisoformat(facts["now"]), []
    for deployment in wave.members:
        window = window_of(deployment.window)
        if window and not window.is_open(now):
            waits.append(window.next(now))
    when = f"; {len(waits)} of them in their maintenance window, from {min(waits):%a %H:%M} UTC on" if waits else ""
    return f"{wave.name}: {names}{more} ({counted(wave.tenants, 'tenant')}){when}"


def _time_words(layout: Layout, strategy: Strategy, facts: Mapping[str, Any]) -> str:
    total = 0.0
    for wave in layout.waves:
        places = [Place(d.key, d.account, d.region) for d in wave.members]
        total += ideal_seconds([float(facts["seconds"])] * len(places), places, strategy.limits)
    bakes = sum(float(value) for kind, value in strategy.gates if kind == "bake")
    total += bakes * max(0, len(layout.waves) - 1)
    tried = "; ".join(f"{e['effects']['name']} {e['shown']['Lasts']}" for e in facts["experiments"])
    beside = f", beside what experiments take ({tried})" if tried else ""
    return f"about {lasting(timedelta(seconds=total))} without windows, waiting for nobody{beside}"


def _limit_words(strategy: Strategy) -> str:
    limits = strategy.limits
    said = [f"{limits.parallel} at once"]
    said += [f"{limits.per_account} per account"] if limits.per_account else []
    said += [f"{limits.per_region} per Region"] if limits.per_region else []
    return ", ".join(said)


def _halt_words(strategy: Strategy) -> str:
    if strategy.budget_percent:
        return f"when {strategy.budget_percent:g} % of a wave have failed"
    return "at the first failure" if strategy.budget == 1 else f"after {strategy.budget} failures in a wave"


def gate_words(kind: str, value: str) -> str:
    """Return what a gate demands, in words."""
    match kind:
        case "bake":
            return f"{lasting(timedelta(seconds=float(value)))} to bake"
        case "alarm":
            return f"the alarm {value} is OK"
        case "http":
            return f"{value} answers well"
        case "experiment":
            return f"the experiment {value} goes well"
        case "insights":
            return "no new insight of high severity"
    return "somebody says “continue”"


def _out_words(left_out: Sequence[tuple[Deployment, str]]) -> str:
    named = "; ".join(f"{d.key}: {why}" for d, why in left_out[:SHOWN])
    return named + (f"; and {len(left_out) - SHOWN} more" if len(left_out) > SHOWN else "")


def _source_words(source: Mapping[str, str] | None) -> str:
    return f"{source['provider']} {source['repository']}".strip() if source else "any pipeline"
