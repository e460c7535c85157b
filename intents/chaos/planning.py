"""From facts to the plan of an experiment: what it does, what it hits, what stands against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.plan import Check, Plan, Resource
from bot.words import lasting
from intents.chaos.definitions import SECOND, START
from intents.chaos.fis import MOST_RUNNING
from intents.chaos.model import Template, template_from
from intents.chaos.notes import CONTENT, RUN_ALL, START_BY, WITHIN
from intents.chaos.targets import Hit, hit_from

STACK = "stack"
"""Kind of resource by which requests of all kinds know that they touch the same stack."""
OVERRIDE_SLOT = "OverrideReason"
_OVERRIDE_ADVICE = (
    "To start it all the same, say “override because …” with the reason: the request is then marked as an override, "
    "and a second person, whom you name, has to approve it as one."
)


def plan_of(facts: Mapping[str, Any]) -> Plan:
    """Return the plan. Pure: the same facts give the same plan."""
    template, hits = template_from(facts["template"]), tuple(hit_from(h) for h in facts["hits"])
    slots: Mapping[str, str] = facts["slots"]
    override, obstacles = slots.get(OVERRIDE_SLOT, ""), _obstacles(facts, template)
    is_override = bool(override) and any(obstacles)
    second = slots.get(SECOND, "")
    is_production = template.is_production or is_override
    loud = "OVERRIDE: " if is_override else ""
    limit = float(facts["limit_minutes"])
    return Plan(
        intent=START,
        summary=f"{loud}Run the experiment {template.name} on {template.stack} ({template.environment})",
        effects={
            "call": "fis:StartExperiment",
            "actions_mode": RUN_ALL,
            "template": template.id,
            "name": template.name,
            "stack": template.stack,
            "updated": template.updated,
            "account": template.place.account,
            "region": template.place.region,
            "role": template.place.role,
            "content": template.content,
            "alarms": sorted(template.alarms),
            "targets": {
                h.name: {"kind": h.kind, "mode": h.mode, "taken": h.taken, "arns": [t.arn for t in h.candidates]}
                for h in hits
            },
            "limit_minutes": limit,
            "lease_minutes": float(facts["lease_minutes"]) if template.is_production else 0.0,
            "expectation": slots.get("Expectation", ""),
            "override": override if is_override else "",
            **({"second_person": second} if is_override else {}),
        },
        details=(
            *(
                (
                    ("OVERRIDE", override),
                    ("Second person", second or "nobody yet"),
                    ("Set aside", " ".join(s for s, _ in obstacles)),
                )
                if is_override
                else ()
            ),
            ("Experiment", f"{template.name}: {template.description}"),
            ("Where", f"account {template.place.account}, {template.place.region}, {template.environment}"),
            ("Does", " ".join(template.steps())),
            *((f"Hits ({h.name})", f"{h.sentence()} ({_zones(h)})") for h in hits),
            ("FIS preview", _preview_words(template, facts["preview"])),
            ("Stops by itself when", _alarm_words(template, facts["alarms"])),
            ("Lasts", _time_words(template, limit)),
            ("Role", template.role.rpartition("/")[2]),
            ("Costs", f"about {template.usd():.2f} US dollars (FIS)"),
            ("Expected", slots.get("Expectation", "—")),
            *((("Gate of", f"the roll-out {slots[WITHIN]}"),) if slots.get(WITHIN) else ()),
            *((("Lease", _lease_words(float(facts["lease_minutes"]))),) if template.is_production else ()),
        ),
        checks=_checks(facts, template, hits, obstacles, override, second),
        tier="production" if is_production else "standard",
        ask=(second,) if is_override and second else (),
        figure={"title": template.name, "targets": [h.figure() for h in hits]} if hits else {},
        touches=(
            Resource(STACK, template.stack),
            Resource("account", template.place.account),
            Resource("experiment", template.id, exclusive=True),
        ),
    )


def _obstacles(facts: Mapping[str, Any], template: Template) -> tuple[tuple[str, str], ...]:
    """Return what a second person may set aside: each as a sentence, and the check's name."""
    found = [
        (f"On {template.stack} an insight of high severity is open: {i['name']}.", "Open insights")
        for i in facts["insights"]
    ]
    if facts["freeze"]:
        found.append(
            (f"{template.stack} is frozen: {facts['freeze']['name']}, until {facts['freeze']['until']}.", "Freeze")
        )
    found += [
        (f"Request {r['id']} is at work on {template.stack}: {r['summary']}.", "Running work") for r in facts["busy"]
    ]
    return tuple(found)


def _checks(
    facts: Mapping[str, Any],
    template: Template,
    hits: Sequence[Hit],
    obstacles: Sequence[tuple[str, str]],
    override: str,
    second: str,
) -> tuple[Check, ...]:
    checks = []
    for sentence, name in obstacles:
        if override:
            checks.append(Check(name, "waits", f"Set aside by override. {sentence}"))
        else:
            checks.append(Check(name, "fails", sentence, OVERRIDE_SLOT, _OVERRIDE_ADVICE))
    if obstacles and override and not second:
        sentence = "An override needs a second person, by name."
        step = "Say who answers for it with you, by their e-mail address."
        checks.append(Check("Second person", "fails", sentence, SECOND, step))
    if not obstacles:
        checks.append(Check("Surroundings", "ok", f"no open insight, freeze or running work on {template.stack}"))
    for what in facts["unread"]:
        checks.append(Check("Open insights", "waits", what))
    if facts["lever"]["status"] != "disengaged":
        reason = facts["lever"].get("reason", "")
        checks.append(
            Check(
                "Safety lever",
                "fails",
                f"The safety lever is engaged{f' (“{reason}”)' if reason else ''}: no experiment may start.",
                next_step="An operator can say “allow experiments again”.",
            )
        )
    approved = facts["slots"].get(CONTENT, "")
    if approved and approved != template.content:
        sentence = "Its template has been changed since the roll-out was approved."
        checks.append(
            Check("Template", "fails", sentence, next_step="Roll out anew, so that what it does is approved.")
        )
    if facts["is_late"]:
        sentence = f"It was to start by {facts['slots'][START_BY][:16].replace('T', ' ')} UTC, which is over."
        checks.append(Check("Time", "fails", sentence, next_step="It comes again by its schedule."))
    if facts["running"] >= MOST_RUNNING:
        sentence = (
            f"{facts['running']} experiments run in this account and Region already, which is all that FIS allows."
        )
        checks.append(Check("Running experiments", "fails", sentence, next_step="Ask again when one has ended."))
    if not template.alarms:
        result = "fails" if template.is_production else "waits"
        sentence = "Nothing would stop this experiment by itself: its template has no stop condition."
        step = "Add a CloudWatch alarm to the template as its stop condition."
        checks.append(Check("Stop conditions", result, sentence, next_step=step))  # type: ignore[arg-type]
    checks += _alarm_checks(template, facts["alarms"])
    for hit in hits:
        if not hit.taken:
            sentence = f"The target {hit.name} comes to nothing just now ({hit.kind}, {hit.mode})."
            step = "Look at the template's tags and filters."
            checks.append(Check("Targets", "fails", sentence, next_step=step))
    return tuple(checks)


def _alarm_checks(template: Template, alarms: Mapping[str, str]) -> list[Check]:
    checks = []
    for arn in template.alarms:
        name, state = arn.partition(":alarm:")[2], alarms.get(arn, "MISSING")
        if state == "ALARM":
            step = "Find out why before you break more."
            checks.append(Check("Alarms", "fails", f"The alarm {name} fires already.", next_step=step))
        elif state == "MISSING":
            sentence = f"The alarm {name}, which should stop the experiment, does not exist."
            step = "Mend the template's stop conditions."
            checks.append(Check("Stop conditions", "fails", sentence, next_step=step))
        elif state == "OK":
            checks.append(Check("Alarms", "ok", f"{name} is OK"))
        else:
            checks.append(Check("Alarms", "waits", f"The alarm {name} has too little data to tell."))
    return checks


def _zones(hit: Hit) -> str:
    return ", ".join(f"{zone} {bar} {words}" for zone, bar, words in hit.picture()) or "none"


def _preview_words(template: Template, preview: Mapping[str, Any] | None) -> str:
    if preview is None:
        return f"none in the last hour; “preview {template.name}” has FIS resolve the targets itself, touching nothing"
    when = f"{preview['id']} at {preview['at'][11:16]} UTC"
    return f"{when} came to something else: {preview['differs']}" if preview["differs"] else f"{when} came to the same"


def _alarm_words(template: Template, alarms: Mapping[str, str]) -> str:
    names = [f"{arn.partition(':alarm:')[2]} fires" for arn in template.alarms]
    return " or ".join(names) or "nothing: it has no stop condition"


def _time_words(template: Template, limit: float) -> str:
    whole = lasting(timedelta(seconds=template.seconds()))
    return f"{whole}; stopped after {lasting(timedelta(minutes=limit))}" if limit else whole


def _lease_words(minutes: float) -> str:
    return f"somebody has to say “keep going” every {minutes:g} minutes, or it is stopped"
