"""How a roll-out is shown: a bar a wave, failing deployments by name, and what can be said now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.card import StepMark
from bot.releases.rollouts import BACK, Rollout, Target

WIDE = 12
NAMED = 6
DONE = ("succeeded", "skipped", "back", "stopped")


def progress_of(
    rollout: Rollout, counts: Mapping[int, Mapping[str, int]], named: Sequence[Target]
) -> list[tuple[StepMark, str, str]]:
    """Return a line for each wave, and one for what holds the roll-out up."""
    lines: list[tuple[StepMark, str, str]] = []
    for number, wave in enumerate(rollout.waves):
        found = counts.get(number, {})
        lines.append(_line(number, wave, found, [t for t in named if t.wave == number], rollout))
    if rollout.phase == "paused":
        lines.append(("waiting", "Paused", rollout.reason))
    elif rollout.phase == "gate":
        lines.append(("running", f"Before wave {rollout.wave + 2}", rollout.reason or "looking at its gates"))
    elif rollout.phase == "stopping":
        lines.append(("running", "Being stopped", "what runs is asked to stop; nothing more is started"))
    elif rollout.phase == "back":
        lines.append(("running", "Being rolled back", rollout.reason))
    return lines


def _line(
    number: int, wave: Mapping[str, object], found: Mapping[str, int], named: Sequence[Target], rollout: Rollout
) -> tuple[StepMark, str, str]:
    size = sum(found.values())
    good = sum(found.get(state, 0) for state in DONE)
    failed = found.get("failed", 0)
    active = found.get("running", 0) + found.get("starting", 0)
    filled = round(WIDE * good / size) if size else 0
    crossed = min(WIDE - filled, max(1, round(WIDE * failed / size))) if failed else 0
    bar = "█" * filled + "✗" * crossed + "░" * (WIDE - filled - crossed)
    words = [f"{bar} {found.get('succeeded', 0)} of {size}"]
    for state, said in (("back", "rolled back"), ("skipped", "skipped"), ("stopped", "stopped")):
        if found.get(state):
            words.append(f"{found[state]} {said}")
    running = [t for t in named if t.state in ("running", "starting")]
    if active:
        names = ", ".join(t.key for t in running[:NAMED])
        back = "going back" if running and all(t.purpose == BACK for t in running) else "running"
        words.append(f"{active} {back}: {names}" + (" …" if active > len(running[:NAMED]) else ""))
    wanting = [t for t in running if t.detail.get("approval")]
    if wanting:
        words.append("waiting for an approval of their own: " + ", ".join(t.key for t in wanting[:NAMED]))
    if failed:
        listed = [f"{t.key} ({t.why})" if t.why else t.key for t in named if t.state == "failed"]
        words.append(f"{failed} failed: " + "; ".join(listed[:NAMED]) + (" …" if failed > NAMED else ""))
    mark: StepMark = "waiting"
    if failed:
        mark = "failed"
    elif size and good == size:
        mark = "done"
    elif active or (number == rollout.wave and rollout.phase == "running"):
        mark = "running"
    return mark, f"Wave {number + 1}: {wave['name']}", "; ".join(words)


def approvals_offered(named: Sequence[Target], request: str) -> list[list[str]]:
    """Return the answers that pipelines' own approvals wait for, as [title, text] pairs; of the first two."""
    wanting = [t for t in named if t.state == "running" and t.detail.get("approval")][:2]
    return [
        [f"{verb.capitalize()} {t.key}", f"{verb} the pipeline of {t.key} in {request}"]
        for t in wanting
        for verb in ("approve", "reject")
    ]


def offers_of(phase: str, request: str, *, failed: bool = True, is_shut: bool = False) -> list[list[str]]:
    """Return what a roll-out's card offers to say, as [title, text] pairs: no more than would do something now.

    `failed`: some deployments have; `is_shut`: a gate has.
    """
    go_on, pause = ["Continue", f"continue the rollout {request}"], ["Pause", f"pause the rollout {request}"]
    match phase:
        case "running":
            return [pause]
        case "gate":
            return [go_on, pause]
        case "paused":
            again = [["Retry failed", f"retry the failed deployments of {request}"]] if failed else []
            left_out = [["Skip failed", f"skip the failed deployments of {request}"]] if failed else []
            if is_shut:
                again = again or [["Retry the gate", f"retry the gate of {request}"]]
                left_out = [["Skip the gate", f"skip the gate of {request}"]]
            return [go_on, *again, *left_out, ["Roll back", f"roll back {request}"]]
    return []


def ways_on(*, failed: bool, is_shut: bool) -> str:
    """Return the sentence that names what can be said of a halted roll-out."""
    again = "“retry the failed ones”" if failed else "“retry the gate”"
    left_out = "“skip the gate”" if is_shut else "“skip the failed ones”"
    said = [again, left_out] if failed or is_shut else []
    return f"Say {', '.join([*said, '“continue the rollout”'])}, or “roll back”."
