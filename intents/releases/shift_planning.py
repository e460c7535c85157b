"""What a plan says of what CodeDeploy changes: from what to what, how fast, and what takes it back. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.plan import Check
from bot.releases.codedeploy import codedeploy_of
from bot.releases.waves import Deployment
from bot.words import lasting

PREFIX = "CodeDeployDefault."
SHOWN = 8
_CANARY, _LINEAR = (5, 10, 15, 30), (1, 2, 3, 10)
_KNOWN: Mapping[str, tuple[str, ...]] = {
    "Lambda": (
        *(f"10 % for {n} minutes" for n in _CANARY),
        "10 % every minute",
        *(f"10 % every {n} minutes" for n in _LINEAR[1:]),
        "all at once",
    ),
    "ECS": (
        "10 % for 5 minutes",
        "10 % for 15 minutes",
        "10 % every minute",
        "10 % every 3 minutes",
        "all at once",
    ),
}
"""The ways in which CodeDeploy shifts traffic by itself, as a strategy says them."""
_SAID = re.compile(r"(\d+) % (for|every)(?: (\d+))? minutes?")
_NAMED = re.compile(r"(?:Lambda|ECS)(?:(AllAtOnce)|(Canary|Linear)(\d+)Percent(?:Every)?(\d+)Minutes?)")
_BEFORE = {"Lambda": 30.0, "ECS": 240.0}
"""Seconds until traffic shifts, and after it has."""
_LONGEST = 4 * 3600.0


def config_of(platform: str, traffic: str) -> str:
    """Return the configuration that a strategy's words mean; empty for none, and where there is no such one."""
    if traffic not in _KNOWN[platform]:
        return ""
    found = _SAID.fullmatch(traffic)
    if found is None:
        return f"{PREFIX}{platform}AllAtOnce"
    minutes = int(found[3] or 1)
    if found[2] == "for":
        return f"{PREFIX}{platform}Canary{found[1]}Percent{minutes}Minutes"
    # AWS's own spelling: a single minute is one for functions, and several for services.
    plural = "" if minutes == 1 and platform == "Lambda" else "s"
    return f"{PREFIX}{platform}Linear{found[1]}PercentEvery{minutes}Minute{plural}"


def pace_of(config: str) -> str:
    """Return how a configuration shifts traffic, in words; its own name where it is the house's."""
    found = _NAMED.fullmatch(config.removeprefix(PREFIX))
    if not config.startswith(PREFIX) or found is None:
        return config
    if found[1]:
        return "all at once"
    number = f"{found[4]} minutes" if found[4] != "1" else "minute"
    return f"{found[3]} % {'for' if found[2] == 'Canary' else 'every'} {number}"


def expected_seconds(shift: Mapping[str, Any], group: Mapping[str, Any]) -> float:
    """Return how long a deployment is expected to take, by its configuration and how long old tasks are kept."""
    keeps = group.get("blueGreenDeploymentConfiguration", {}).get("terminateBlueInstancesOnDeploymentSuccess", {})
    seconds = _BEFORE[shift["platform"]] + 60.0 * float(keeps.get("terminationWaitTimeInMinutes", 0))
    found = _NAMED.fullmatch(str(shift["config"]).removeprefix(PREFIX))
    if found is None:
        return min(seconds + 600.0, _LONGEST)  # the house's own: it is looked at in between
    if found[2] == "Canary":
        seconds += 60.0 * int(found[4])
    elif found[2] == "Linear":
        seconds += 60.0 * int(found[4]) * (100 // int(found[3]) - 1)
    return min(seconds, _LONGEST)


def out_of(facts: Mapping[str, Any], deployment: Deployment) -> str:
    """Return why a target can't be shifted; empty when it can."""
    shift = facts["shifts"].get(deployment.key, {})
    return str(shift.get("why", ""))


def pins_of(facts: Mapping[str, Any], deployment: Deployment) -> list[str]:
    """Return what of a target's shift is approved: from what, to what, and how. Empty where a pipeline changes it."""
    if not deployment.codedeploy:
        return []
    shift = facts["shifts"][deployment.key]
    return [shift["from"], shift["to"], shift["config"]]


def calls_of(members: Sequence[Deployment]) -> str:
    """Return what a roll-out calls to change its deployments."""
    calls = ["codepipeline:StartPipelineExecution"] if any(not d.codedeploy for d in members) or not members else []
    calls += ["codedeploy:CreateDeployment"] if any(d.codedeploy for d in members) else []
    return ", ".join(calls)


def shown_shift(shift: Mapping[str, Any]) -> str:
    """Return a target's change in words: prices:live 7 → 8."""
    return f"{shown_unit(shift)} {_short(shift['from'])} → {_short(shift['to'])}"


def shown_unit(shift: Mapping[str, Any]) -> str:
    """Return what a shift changes, as people know it: prices:live, or the service shop."""
    target = codedeploy_of(
        f"{shift['platform']}:{shift['application']}/{shift['group']}/{shift['unit']}/{shift['label']}"
    )
    return target.shown if target else str(shift["unit"])


def details_of(facts: Mapping[str, Any], members: Sequence[Deployment]) -> tuple[tuple[str, str], ...]:
    """Return the rows of a plan about what is shifted; none where only pipelines are started."""
    shifted = [(d.key, facts["shifts"][d.key]) for d in members if d.codedeploy]
    if not shifted:
        return ()
    named = "; ".join(f"{key}: {shown_shift(shift)}" for key, shift in shifted[:SHOWN])
    more = f"; and {len(shifted) - SHOWN} more" if len(shifted) > SHOWN else ""
    paces = list(dict.fromkeys(pace_of(shift["config"]) for _, shift in shifted))
    longest = max(float(shift["expects"]) for _, shift in shifted)
    alarms = list(dict.fromkeys(name for _, shift in shifted for name in shift["alarms"]))
    watched = f", or when {_either(alarms)} fires" if alarms else "; no alarm watches them"
    takes = f"{', '.join(paces[:4])}; up to {lasting(timedelta(seconds=longest))} each"
    return (
        ("CodeDeploy shifts", named + more),
        ("Traffic", takes),
        ("Goes back by itself", f"when a deployment fails{watched}"),
    )


def checks_of(facts: Mapping[str, Any], members: Sequence[Deployment], traffic: str) -> list[Check]:
    """Return what stands against shifting, and that nothing does."""
    shifted = [d for d in members if d.codedeploy]
    checks = []
    for platform in sorted({facts["shifts"][d.key]["platform"] for d in shifted}) if traffic else ():
        if traffic not in _KNOWN[platform]:
            sentence = f"CodeDeploy has no such way to shift the traffic of {platform}: {traffic}."
            step = f"Say “shift …”, with one of: {', '.join(_KNOWN[platform])}; or leave it to each group."
            checks.append(Check("Traffic", "fails", sentence, "Waves", step))
    keys = {d.key for d in shifted}
    for row in [row for row in facts["firing"] if row["key"] in keys][:SHOWN]:
        words = f"{row['alarm']} fires: while it does, CodeDeploy stops the deployment of {row['key']} at once."
        checks.append(Check("Alarms", "waits", words))
    if shifted and not any(c.result == "fails" for c in checks):
        each = f"each of the {len(shifted)} has" if len(shifted) > 1 else "the one has"
        checks.append(Check("CodeDeploy", "ok", f"{each} a build of that version, and a group that shifts to it"))
    return checks


def _either(names: Sequence[str]) -> str:
    more = f" or {len(names) - 4} more" if len(names) > 4 else ""
    return " or ".join(names[:4]) + more


def _short(revision: str) -> str:
    return revision.rpartition("/")[2]
