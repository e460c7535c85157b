"""CodeDeploy's deployments of Lambda and ECS: traffic shifts step by step, until all is new or something stops it."""

from __future__ import annotations

import re
import secrets
import string
from typing import TYPE_CHECKING, Any

from sandbox.delivery.bus import put_event
from sandbox.delivery.lifecycle import FIRST, before_traffic
from sandbox.delivery.tool_model import Application, Shift
from sandbox.delivery.traffic import misfit, route, settle

if TYPE_CHECKING:
    from sandbox.world import World

BEFORE_SECONDS = {"Lambda": 10.0, "ECS": 60.0}
"""Until traffic begins to shift: hooks run, and for ECS the new tasks start."""
AFTER_SECONDS = 10.0
LOOK_SECONDS = 30.0
"""How often alarms are looked at."""
ENDED = ("Succeeded", "Failed", "Stopped")
ROLLBACK_OF = {
    "FAILED": "DEPLOYMENT_FAILURE",
    "ALARM": "DEPLOYMENT_STOP_ON_ALARM",
    "REQUEST": "DEPLOYMENT_STOP_ON_REQUEST",
}
_CONFIG = re.compile(r"CodeDeployDefault\.(Lambda|ECS)(?:AllAtOnce|(Canary|Linear)(\d+)Percent(Every)?(\d+)Minutes?)")
_KNOWN = {
    "Lambda": [
        *(f"LambdaCanary10Percent{n}Minutes" for n in (5, 10, 15, 30)),
        *(f"LambdaLinear10PercentEvery{n}Minute{'s' if n > 1 else ''}" for n in (1, 2, 3, 10)),
        "LambdaAllAtOnce",
    ],
    "ECS": [
        *(f"ECSCanary10Percent{n}Minutes" for n in (5, 15)),
        *(f"ECSLinear10PercentEvery{n}Minutes" for n in (1, 3)),
        "ECSAllAtOnce",
    ],
}
_ALARMED = (
    "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected "
    "deployments have been stopped."
)
_ID = string.ascii_uppercase + string.digits
_STATES = {"Succeeded": "SUCCESS", "Failed": "FAILURE", "Stopped": "STOP", "Ready": "READY", "InProgress": "START"}


def configs(platform: str) -> list[str]:
    """The names of the predefined configurations of a platform."""
    return [f"CodeDeployDefault.{name}" for name in _KNOWN[platform]]


def plan_of(config: str) -> list[list[float]]:
    """When which percentage of the traffic is new, in seconds since it began to shift."""
    found = _CONFIG.fullmatch(config)
    if found is None or found[2] is None:
        return [[0.0, 100.0]]
    percent, seconds = float(found[3]), 60.0 * float(found[5])
    if found[2] == "Canary":
        return [[0.0, percent], [seconds, 100.0]]
    steps = int(100 // percent)
    return [[number * seconds, min(100.0, (number + 1) * percent)] for number in range(steps)]


def new_id() -> str:
    """A deployment's id as CodeDeploy makes them."""
    return "d-" + "".join(secrets.choice(_ID) for _ in range(9))


def begin(world: World, shift: Shift, at: float) -> None:
    """Put a deployment on its way."""
    application = application_of(world, shift)
    if not shift.rollback_of:
        fault = world.faults.take("deployment_failed", subject=f"{application.name}/{shift.group}")
        if fault is not None:
            shift.doom, shift.doom_at = str(fault["message"]), str(fault.get("event", shift.doom_at))
        code, words = misfit(world, shift)
        if code:
            shift.doom, shift.doom_code, shift.doom_at = words, code, FIRST[shift.platform]
    shift.status = "InProgress"
    world.delivery.keep("shifts", shift.id, shift)
    _hook(shift, "BeforeAllowTraffic", at)
    world.delivery.schedule("shifts", shift, at + BEFORE_SECONDS[shift.platform])
    _tell(world, shift, at)


def move(world: World, identifier: str, due: float) -> None:
    """Take the next step of a deployment, or look at its alarms."""
    shift = world.delivery.shifts.get(identifier)
    if shift is None or shift.due != due or shift.status in ENDED:
        return
    alarm = _alarm_of(world, shift)
    if alarm:
        _end(world, shift, "Stopped", due, "ALARM_ACTIVE", f"{_ALARMED} Activated alarms: {alarm}")
        _maybe_roll_back(world, shift, "ALARM", due)
        return
    if shift.status == "Ready":
        if shift.ready_until is not None and due >= shift.ready_until:
            _end(world, shift, "Stopped", due, "TIMEOUT", "The deployment was not continued within its time.")
            _maybe_roll_back(world, shift, "REQUEST", due)
            return
        _schedule(world, shift, due, shift.ready_until)
        return
    if shift.shifting_since is None:
        if shift.doom and shift.doom_at in before_traffic(shift.platform):
            _fail(world, shift, due)
            return
        _close_hooks(shift, due, "Succeeded")
        if (wait := _ready_wait(shift)) is not None:
            shift.status, shift.ready_until = "Ready", due + wait
            _tell(world, shift, due)
            _schedule(world, shift, due, shift.ready_until)
            return
        allow(world, shift, due)
        return
    _go_on(world, shift, due)


def allow(world: World, shift: Shift, at: float) -> None:
    """Begin to shift the traffic."""
    shift.status, shift.shifting_since, shift.ready_until = "InProgress", at, None
    _hook(shift, "AllowTraffic", at)
    _go_on(world, shift, at)


def stop(world: World, shift: Shift, at: float, *, rolls_back: bool | None) -> None:
    """Stop a deployment on request; None leaves the roll-back to its group's settings."""
    _end(world, shift, "Stopped", at, "MANUAL_STOP", "The deployment was stopped by a user.")
    if rolls_back or rolls_back is None:
        _maybe_roll_back(world, shift, "REQUEST", at, is_asked=bool(rolls_back))


def application_of(world: World, shift: Shift) -> Application:
    """The application that a deployment is of."""
    return world.delivery.applications[shift.application]


def _go_on(world: World, shift: Shift, at: float) -> None:
    since = shift.shifting_since or at
    weight = max((percent for seconds, percent in shift.plan if since + seconds <= at), default=0.0)
    if weight != shift.weight:
        shift.weight = weight
        route(world, shift)
    is_doomed_now = shift.doom and shift.doom_at == "AllowTraffic"
    if is_doomed_now and at > since:
        _fail(world, shift, at)
        return
    following = [since + seconds for seconds, _ in shift.plan if since + seconds > at]
    if is_doomed_now:
        # Something is noticed soon after the first of the traffic.
        world.delivery.schedule("shifts", shift, since + LOOK_SECONDS)
        return
    if following:
        _schedule(world, shift, at, min(following))
        return
    done = since + shift.plan[-1][0] + AFTER_SECONDS + _keep_seconds(shift)
    if "AfterAllowTraffic" not in shift.hooks:
        _close_hooks(shift, at, "Succeeded")
        _hook(shift, "AfterAllowTraffic", at)
    if at >= done and shift.doom:
        _fail(world, shift, at)
    elif at >= done:
        _close_hooks(shift, at, "Succeeded")
        _end(world, shift, "Succeeded", at)
    else:
        _schedule(world, shift, at, done)


def _fail(world: World, shift: Shift, at: float) -> None:
    _close_hooks(shift, at, "Failed")
    _end(world, shift, "Failed", at, shift.doom_code, shift.doom)
    _maybe_roll_back(world, shift, "FAILED", at)


def _end(world: World, shift: Shift, status: str, at: float, code: str = "", message: str = "") -> None:
    shift.status, shift.ended_at, shift.code, shift.message = status, at, code, message
    _close_hooks(shift, at, "Failed")
    world.delivery.schedule("shifts", shift, None)
    if status == "Succeeded":
        settle(world, shift, shift.after)
    _tell(world, shift, at)


def _maybe_roll_back(world: World, shift: Shift, why: str, at: float, *, is_asked: bool = False) -> None:
    """Deploy what was there before, as a deployment of its own, if the group wants that; else leave the traffic."""
    wanted = shift.settings.get("autoRollbackConfiguration", {})
    is_wanted = wanted.get("enabled", False) and ROLLBACK_OF[why] in wanted.get("events", ())
    never_fitted = shift.doom_at == FIRST[shift.platform] and shift.doom_code != "HOOK_EXECUTION_FAILURE"
    if shift.rollback_of or never_fitted or not (is_asked or is_wanted):
        return
    back = Shift(
        id=new_id(),
        application=shift.application,
        group=shift.group,
        config=f"CodeDeployDefault.{shift.platform}AllAtOnce",
        revision=shift.revision,
        created_at=at,
        platform=shift.platform,
        plan=[[0.0, 100.0]],
        settings={},
        alias=shift.alias,
        service=shift.service,
        before=shift.after,
        after=shift.before,
        creator="codeDeployRollback",
        description=f"Rollback of {shift.id}",
        rollback_of=shift.id,
    )
    shift.rollback_by = back.id
    world.delivery.changed("shifts", shift.id)
    settle(world, shift, shift.before)
    begin(world, back, at)


def _alarm_of(world: World, shift: Shift) -> str:
    """The alarms of the deployment's that are in ALARM, as its error names them; empty if there are none."""
    wanted = shift.settings.get("alarmConfiguration", {})
    if not wanted.get("enabled", False) or shift.rollback_of:
        return ""
    application = application_of(world, shift)
    where = (application.account_id, application.region)
    named = {alarm.get("name") for alarm in wanted.get("alarms", ())}
    firing = (
        f"<{alarm.name}>"
        for alarm in world.zone.workload_alarms.values()
        if (alarm.account_id, alarm.region) == where and alarm.name in named and alarm.state == "ALARM"
    )
    return " ".join(sorted(firing))


def _schedule(world: World, shift: Shift, at: float, due: float | None) -> None:
    looks = shift.settings.get("alarmConfiguration", {}).get("enabled", False)
    times = ([at + LOOK_SECONDS] if looks else []) + ([due] if due is not None else [])
    world.delivery.schedule("shifts", shift, min(times, default=None))


def _ready_wait(shift: Shift) -> float | None:
    option = shift.settings.get("blueGreenDeploymentConfiguration", {}).get("deploymentReadyOption", {})
    if shift.rollback_of or option.get("actionOnTimeout") != "STOP_DEPLOYMENT":
        return None
    return 60.0 * float(option.get("waitTimeInMinutes", 60))


def _keep_seconds(shift: Shift) -> float:
    blue = shift.settings.get("blueGreenDeploymentConfiguration", {}).get(
        "terminateBlueInstancesOnDeploymentSuccess", {}
    )
    is_kept = shift.platform == "ECS" and blue.get("action", "TERMINATE") == "TERMINATE"
    return 60.0 * float(blue.get("terminationWaitTimeInMinutes", 0)) if is_kept else 0.0


def _hook(shift: Shift, name: str, at: float) -> None:
    shift.hooks[name] = [at, None, "InProgress"]


def _close_hooks(shift: Shift, at: float, status: str) -> None:
    for hook in shift.hooks.values():
        if hook[2] == "InProgress":
            hook[1], hook[2] = at, status


def _tell(world: World, shift: Shift, at: float) -> None:
    application = application_of(world, shift)
    base = f"arn:aws:codedeploy:{application.region}:{application.account_id}"
    detail: dict[str, Any] = {
        "region": application.region,
        "deploymentId": shift.id,
        "instanceGroupId": shift.group,
        "deploymentGroup": shift.group,
        "application": application.name,
        "state": _STATES[shift.status],
    }
    put_event(
        world,
        application.account_id,
        application.region,
        source="aws.codedeploy",
        detail_type="CodeDeploy Deployment State-change Notification",
        detail=detail,
        resources=[
            f"{base}:application:{application.name}",
            f"{base}:deploymentgroup:{application.name}/{shift.group}",
        ],
        at=at,
    )
