"""Experiments under way: what happens to them, their machines and the alarms beside them as time passes.

Nothing runs in the background: `settle_experiments` carries out whatever has come due, in the order of its time.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from sandbox.chaos_actions import ACTIONS, SUBNET
from sandbox.chaos_model import ENDED, Experiment, Machine, WorkloadAlarm
from sandbox.chaos_targets import resolve
from sandbox.world import World

SECONDS_TO_INITIATE, SECONDS_TO_RUN, SECONDS_TO_STOP = 2.0, 6.0, 5.0
HELD = 300.0
"""Seconds for which a state that was set by hand stays."""
HALTED = "Experiment halted by stop condition."
_ID = string.ascii_letters + string.digits
_Event = tuple[float, int, Callable[[], None]]


def new_experiment_id(prefix: str) -> str:
    """An id as FIS makes them: EXT or EXP and 15 letters and digits."""
    return prefix + "".join(secrets.choice(_ID) for _ in range(15))


def lever_of(world: World, account_id: str, region: str) -> dict[str, str]:
    """The safety lever of an account and Region: its status and reason."""
    return world.zone.levers.get(f"{account_id}/{region}", {"status": "disengaged", "reason": ""})


def running_in(world: World, account_id: str, region: str) -> list[Experiment]:
    """The experiments of an account and Region that have not ended."""
    return [
        e
        for e in world.zone.experiments.values()
        if (e.account_id, e.region) == (account_id, region) and e.status not in ENDED
    ]


def settle_experiments(world: World) -> None:
    """Carry out what has come due."""
    now = world.clock.now()
    while True:
        due = min(_events(world), key=lambda event: event[:2], default=None)
        if due is None or due[0] > now:
            return
        due[2]()
        world.changed()


def stop(world: World, experiment: Experiment, at: float, reason: str) -> None:
    """Have an experiment stop; one that has ended stays as it is."""
    if experiment.status in (*ENDED, "stopping"):
        return
    experiment.status, experiment.reason, experiment.due = "stopping", reason, at + SECONDS_TO_STOP
    for name, action in experiment.progress.items():
        if action["status"] in ("running", "initiating"):
            action.update(status="stopping", reason="Action is stopping.", due=None)
            _relieve(world, experiment, name, at)
        elif action["status"] == "pending":
            action.update(status="cancelled", reason="Action was cancelled.", due=None)
    world.changed()


def set_alarm(world: World, alarm: WorkloadAlarm, state: str, reason: str, at: float) -> None:
    """Put an alarm into a state; after a while it follows its metric again."""
    _change_state(world, alarm, state, reason, at)
    alarm.due = at + HELD
    world.changed()


def value_at(alarm: WorkloadAlarm, at: float) -> float:
    """What an alarm's metric was then."""
    wobble = 0.96 + 0.08 * ((int(at) // 60 * 2_654_435_761) % 997 / 997)
    return round((alarm.usual + (alarm.worst - alarm.usual) * alarm.share_at(at)) * wobble, 3)


def _events(world: World) -> Iterator[_Event]:
    for experiment in world.zone.experiments.values():
        if experiment.due is not None:
            yield experiment.due, 2, partial(_pass, world, experiment, experiment.due)
        if experiment.status == "running":
            for name, action in experiment.progress.items():
                if action["due"] is not None:
                    yield action["due"], 1, partial(_end_action, world, experiment, name, action["due"])
    for alarm in world.zone.workload_alarms.values():
        if alarm.due is not None:
            yield alarm.due, 0, partial(_follow, world, alarm, alarm.due)


def _pass(world: World, experiment: Experiment, at: float) -> None:
    experiment.due = None
    if experiment.status == "pending":
        if lever_of(world, experiment.account_id, experiment.region)["status"] == "engaged":
            _end(experiment, "cancelled", "Experiment was cancelled: the safety lever is engaged.", at)
            return
        experiment.status, experiment.reason = "initiating", "Experiment is initiating."
        experiment.due = at + SECONDS_TO_RUN - SECONDS_TO_INITIATE
        accounts = list(experiment.accounts) or [experiment.account_id]
        experiment.resolved = {
            name: resolve(world, accounts, experiment.region, target, f"{experiment.id}/{name}")
            for name, target in experiment.targets.items()
        }
        if world.faults.take("targets_drift") is not None:
            largest = max(experiment.resolved, key=lambda name: len(experiment.resolved[name]))
            experiment.resolved[largest].pop()
    elif experiment.status == "initiating":
        _run(world, experiment, at)
    elif experiment.status == "stopping":
        for action in experiment.progress.values():
            if action["status"] == "stopping":
                action.update(status="stopped", reason="Action was stopped.", end=at)
        _end(experiment, "stopped", experiment.reason, at)


def _run(world: World, experiment: Experiment, at: float) -> None:
    empty = [name for name, arns in experiment.resolved.items() if not arns]
    if empty and experiment.options.get("emptyTargetResolutionMode", "fail") == "fail":
        error = {"accountId": experiment.account_id, "code": "TargetResolutionFailed", "location": empty[0]}
        experiment.error = error
        _end(experiment, "failed", f"Target resolution returned empty set: {empty[0]}.", at)
        return
    for alarm in _alarms_of(world, experiment):
        if alarm.state == "ALARM":
            stop(world, experiment, at, HALTED)
            return
    experiment.status, experiment.reason, experiment.started_at = "running", "Experiment is running.", at
    if experiment.actions_mode == "skip-all":
        for action in experiment.progress.values():
            action.update(status="skipped", reason="Action was skipped.", due=None)
        _end(experiment, "completed", "Experiment completed.", at)
        return
    _start_actions(world, experiment, at)


def _start_actions(world: World, experiment: Experiment, at: float) -> None:
    for name, action in experiment.progress.items():
        template = experiment.actions[name]
        if action["status"] != "pending" or any(
            experiment.progress[before]["status"] not in ("completed", "skipped")
            for before in template.get("startAfter", ())
        ):
            continue
        kind = ACTIONS[template["actionId"]]
        if kind.target and not _machines_of(world, experiment, name):
            action.update(status="skipped", reason="Action was skipped: it has no targets.", start=at, end=at)
            continue
        fault = world.faults.take("action_failed")
        if fault is not None:
            action.update(status="failed", reason=str(fault["message"]), start=at, end=at, due=None)
            for other in experiment.progress.values():
                if other["status"] == "pending":
                    other.update(status="cancelled", reason="Action was cancelled.", due=None)
            for running in [n for n, a in experiment.progress.items() if a["status"] == "running"]:
                experiment.progress[running].update(status="stopped", reason="Action was stopped.", end=at, due=None)
                _relieve(world, experiment, running, at)
            _end(experiment, "failed", f"Action {name} failed: {fault['message']}", at)
            return
        seconds = kind.seconds(template.get("parameters", {}))
        action.update(status="running", reason="Action is running.", start=at, due=at + seconds)
        for machine in _machines_of(world, experiment, name):
            _trouble(world, machine, f"{experiment.id}/{name}", kind.trouble)
            if kind.state:
                machine.state = kind.state
        _reckon(world, at)
    if all(action["status"] not in ("pending", "running") for action in experiment.progress.values()):
        _end(experiment, "completed", "Experiment completed.", at)


def _end_action(world: World, experiment: Experiment, name: str, at: float) -> None:
    experiment.progress[name].update(status="completed", reason="Action was completed.", end=at, due=None)
    _relieve(world, experiment, name, at)
    _start_actions(world, experiment, at)


def _end(experiment: Experiment, status: str, reason: str, at: float) -> None:
    experiment.status, experiment.reason, experiment.ended_at, experiment.due = status, reason, at, None


def _machines_of(world: World, experiment: Experiment, name: str) -> list[Machine]:
    aims = experiment.actions[name].get("targets", {}).values()
    return [world.zone.machines[arn] for aim in aims for arn in experiment.resolved.get(aim, ())]


def _trouble(world: World, machine: Machine, cause: str, share: float) -> None:
    machine.troubles[cause] = share
    if machine.kind == SUBNET:
        subnet = machine.arn.rpartition("/")[2]
        for inside in world.zone.machines.values():
            if inside.subnet == subnet:
                inside.troubles[cause] = share


def _relieve(world: World, experiment: Experiment, name: str, at: float) -> None:
    kind = ACTIONS[experiment.actions[name]["actionId"]]
    if kind.forever:
        return
    cause = f"{experiment.id}/{name}"
    for machine in world.zone.machines.values():
        if machine.troubles.pop(cause, None) is not None and kind.state and machine.state == kind.state:
            machine.state = "running"
    _reckon(world, at)


def _reckon(world: World, at: float) -> None:
    """See how much of each alarm's workload is in trouble, and when its state will follow."""
    for alarm in world.zone.workload_alarms.values():
        watched = [
            m for m in world.zone.machines.values() if m.kind != SUBNET and alarm.watches.items() <= m.tags.items()
        ]
        lost = sum(min(1.0, max(m.troubles.values(), default=0.0)) for m in watched)
        share = lost / len(watched) if watched else 0.0
        if share == alarm.share_at(at):
            continue
        alarm.shares.append([at, share])
        wanted = _wanted(alarm, at)
        if wanted == alarm.state:
            alarm.due = None
        elif alarm.due is None:
            alarm.due = at + alarm.period


def _wanted(alarm: WorkloadAlarm, at: float) -> str:
    value = alarm.usual + (alarm.worst - alarm.usual) * alarm.share_at(at)
    return "ALARM" if value > alarm.threshold else "OK"


def _follow(world: World, alarm: WorkloadAlarm, at: float) -> None:
    alarm.due = None
    wanted = _wanted(alarm, at)
    if wanted == alarm.state:
        return
    value, side = value_at(alarm, at), "greater" if wanted == "ALARM" else "not greater"
    reason = f"Threshold Crossed: 1 datapoint [{value}] was {side} than the threshold ({alarm.threshold})."
    _change_state(world, alarm, wanted, reason, at)


def _change_state(world: World, alarm: WorkloadAlarm, state: str, reason: str, at: float) -> None:
    alarm.states.append([at, state, reason])
    if state != "ALARM":
        return
    for experiment in world.zone.experiments.values():
        if experiment.status == "running" and alarm in _alarms_of(world, experiment):
            stop(world, experiment, at, HALTED)


def _alarms_of(world: World, experiment: Experiment) -> list[WorkloadAlarm]:
    arns = [c["value"] for c in experiment.stop_conditions if c["source"] == "aws:cloudwatch:alarm"]
    return [world.zone.workload_alarms[arn] for arn in arns if arn in world.zone.workload_alarms]


def progress_of(actions: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """How every action of a new experiment stands."""
    pending = {"status": "pending", "reason": "Action is pending.", "start": None, "end": None, "due": None}
    return {name: dict(pending) for name in actions}
