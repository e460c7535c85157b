"""Faults that can be switched on by name, for tests and rehearsals.

Each kind names the options it takes. An option that is missing means "every call, until switched off".
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from threading import Condition
from typing import Any

from sandbox.delivery.lifecycle import LIFECYCLE
from sandbox.errors import ControlError


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_OPTION_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "times": (lambda v: _count(v) and v > 0, "a whole number from 1"),
    "limit": (_count, "a whole number from 0"),
    "rate": (lambda v: _number(v) and 0 <= v <= 1, "a number from 0 to 1"),
    "seconds": (lambda v: _number(v) and 0 <= v <= 600, "a number of wall-clock seconds from 0 to 600"),
    "rate_a_second": (lambda v: _number(v) and 0 < v <= 10_000, "a number of calls a second above 0"),
    "burst": (lambda v: _count(v) and v > 0, "a whole number from 1"),
    "when": (lambda v: v in ("before", "after"), '"before" or "after"'),
    "message": (lambda v: isinstance(v, str) and 0 < len(v) <= 1_000, "a text of 1 to 1,000 characters"),
    "event": (
        lambda v: v in LIFECYCLE["ECS"],
        "a lifecycle event, such as Install, BeforeAllowTraffic, AllowTraffic or AfterAllowTraffic",
    ),
    "stage": (lambda v: isinstance(v, str) and bool(v), "a stage's name"),
    "action": (lambda v: isinstance(v, str) and bool(v), "an action's name"),
    "resource": (lambda v: isinstance(v, str) and bool(v), "a resource's logical id"),
    "names": (
        lambda v: isinstance(v, list) and bool(v) and all(isinstance(name, str) and name for name in v),
        'a list of names, in which * stands for anything, such as "pool-*"',
    ),
    "operations": (
        lambda v: isinstance(v, list) and bool(v) and all(isinstance(name, str) and name for name in v),
        'a list of operations, such as "ProvisionProduct" or "servicecatalog:ProvisionProduct"',
    ),
}


@dataclass(frozen=True)
class FaultKind:
    """A fault by name, what it does, and the options it takes with their defaults."""

    name: str
    description: str
    options: tuple[str, ...]
    defaults: Mapping[str, Any] = field(default_factory=dict)


_ON_CALLS = ("operations", "times", "rate")
KINDS = {
    kind.name: kind
    for kind in (
        FaultKind("throttling", "Calls are refused as throttled, in each service's own code.", _ON_CALLS),
        FaultKind(
            "rate_limits",
            "Calls past a rate are refused as throttled: of each account, Region and operation `rate_a_second` go "
            "through (wall-clock), and `burst` at once.",
            ("operations", "rate_a_second", "burst"),
            {"rate_a_second": 10, "burst": 20},
        ),
        FaultKind("access_denied", "Calls are refused for want of permission.", _ON_CALLS),
        FaultKind("server_error", "Calls end in an internal failure of the service (500).", _ON_CALLS),
        FaultKind(
            "slow",
            "Calls are answered only after some wall-clock seconds.",
            (*_ON_CALLS, "seconds"),
            {"seconds": 3},
        ),
        FaultKind(
            "hang",
            'Calls never answer until this is switched off; when "after", with their effect applied.',
            ("operations", "times", "when"),
            {"when": "before"},
        ),
        FaultKind(
            "connection_reset",
            'Connections are reset without an answer; when "after", with the effect applied.',
            ("operations", "times", "rate", "when"),
            {"when": "before"},
        ),
        FaultKind(
            "provisioning_failed",
            "Account Factory fails before it has made the account: record FAILED, product ERROR.",
            ("times", "message"),
            {"message": "AWS Control Tower failed to create the account due to an internal error."},
        ),
        FaultKind(
            "tainted",
            "Account Factory fails after it has made the account: record FAILED, product TAINTED.",
            ("times", "message"),
            {"message": "AWS Control Tower made the account but could not finish to set it up."},
        ),
        FaultKind(
            "baseline_failed",
            "Account Factory succeeds, but the new account's AWSControlTowerBaseline is enabled with status FAILED.",
            ("times",),
        ),
        FaultKind(
            "assignment_failed",
            "Account assignments of IAM Identity Center end as FAILED.",
            ("times", "message"),
            {"message": "An unexpected internal failure occurred."},
        ),
        FaultKind(
            "build_failed",
            "A Lex locale's build ends as Failed, and blames an utterance.",
            ("times", "message"),
            {"message": "The build failed: an utterance can't be used to train the model."},
        ),
        FaultKind(
            "action_failed",
            "The next actions of FIS experiments fail, and their experiments with them.",
            ("times", "message"),
            {"message": "The action could not be carried out."},
        ),
        FaultKind(
            "pipeline_failed",
            "Executions of pipelines that begin, or try a stage again, fail in a stage (any but the source), with a "
            "message; of these `names`, and at this `rate`. A failing Deploy leaves a stack behind in which `resource` "
            "failed.",
            ("names", "stage", "action", "resource", "message", "rate", "times"),
        ),
        FaultKind(
            "build_run_failed",
            "Builds of CodeBuild that are started by a call fail in their phase BUILD; of projects of these `names`.",
            ("names", "message", "rate", "times"),
            {"message": "Error: the stack could not be synthesized"},
        ),
        FaultKind(
            "stack_failed",
            "A resource of CloudFormation stacks that are made or updated fails: `resource` if the stack has it, else "
            "the last that changes; of stacks of these `names`.",
            ("names", "resource", "message", "rate", "times"),
        ),
        FaultKind(
            "stack_rollback_failed",
            "The rollback of a CloudFormation stack's update fails at a resource.",
            ("names", "resource", "message", "rate", "times"),
        ),
        FaultKind(
            "deployment_failed",
            "Deployments of CodeDeploy fail soon after the first traffic, or in another lifecycle `event`; of these "
            "`names`, as application/group.",
            ("names", "event", "message", "rate", "times"),
            {"message": "The validation hook AfterAllowTraffic failed: 3 of 20 requests were answered with 500."},
        ),
        FaultKind("targets_drift", "FIS experiments leave out one of what they would hit.", ("times",)),
        FaultKind("trail_missing", "Accounts see no organization trail of CloudTrail.", ("times",)),
        FaultKind("recorder_stopped", "AWS Config's recorders have stopped.", ("times",)),
        FaultKind("quota", "The organization has all the accounts it may have (or `limit`).", ("limit", "times")),
    )
}


@dataclass
class _State:
    on: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    remaining: int | None = None
    releases: int = 0


class Faults:
    """The switchboard; thread-safe."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._states = {name: _State() for name in KINDS}
        self._changed = Condition()
        self._closed = False

    def switch(self, name: object, on: object, options: Mapping[str, Any]) -> dict[str, Any]:
        """Switch a fault on (with fresh options) or off, and describe it; ControlError 404 or 422."""
        if not isinstance(name, str) or name not in KINDS:
            raise ControlError(404, f"There is no fault {name!r}. The faults are: {', '.join(KINDS)}.")
        if not isinstance(on, bool):
            raise ControlError(422, "on must be true or false.")
        kind = KINDS[name]
        checked = _check_options(kind, options)
        with self._changed:
            state = self._states[name]
            state.on = on
            state.options = {**kind.defaults, **checked} if on else {}
            state.remaining = state.options.get("times")
            if not on:
                state.releases += 1
                self._changed.notify_all()
        return self._describe(kind)

    def describe(self) -> list[dict[str, Any]]:
        """Every fault with its name, description, state and options."""
        return [self._describe(kind) for kind in KINDS.values()]

    def clear(self) -> None:
        """Switch everything off and let go of every call that hangs."""
        for name in KINDS:
            self.switch(name, False, {})

    def close(self) -> None:
        """Let go of every waiting call, for good."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(
        self, name: str, service: str = "", operation: str = "", *, when: str | None = None, subject: str = ""
    ) -> Mapping[str, Any] | None:
        """The fault's options if it strikes now (which uses up one of its `times`), else None.

        `subject` is what it would strike: a fault that has `names` strikes only what one of them fits.
        """
        with self._changed:
            state = self._states[name]
            if not state.on or state.remaining == 0:
                return None
            if when is not None and state.options.get("when") != when:
                return None
            operations = state.options.get("operations")
            if operations and not {operation, f"{service}:{operation}"} & set(operations):
                return None
            names = state.options.get("names")
            if names and not any(fnmatchcase(subject, pattern) for pattern in names):
                return None
            if self._chance() >= state.options.get("rate", 1):
                return None
            if state.remaining is not None:
                state.remaining -= 1
            return state.options

    def peek(self, name: str) -> Mapping[str, Any] | None:
        """The fault's options if it is on, without using it up."""
        with self._changed:
            state = self._states[name]
            return state.options if state.on and state.remaining != 0 else None

    def hold(self, name: str) -> bool:
        """Wait until the fault is switched off; False if the sandbox closed meanwhile."""
        with self._changed:
            state = self._states[name]
            released = state.releases
            self._changed.wait_for(lambda: self._closed or state.releases != released)
            return not self._closed

    def wait(self, seconds: float) -> bool:
        """Wait wall-clock seconds; False if the sandbox closed meanwhile."""
        with self._changed:
            return not self._changed.wait_for(lambda: self._closed, timeout=seconds)

    def _describe(self, kind: FaultKind) -> dict[str, Any]:
        with self._changed:
            state = self._states[kind.name]
            described: dict[str, Any] = {
                "name": kind.name,
                "on": state.on and state.remaining != 0,
                "options": dict(state.options),
                "takes": list(kind.options),
                "description": kind.description,
            }
            if state.remaining is not None:
                described["remaining"] = state.remaining
            return described


def _check_options(kind: FaultKind, options: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(options)
    if "operation" in given and "operations" in kind.options:
        # One operation may be named plainly.
        single = given.pop("operation")
        given.setdefault("operations", single if isinstance(single, list) else [single])
    for option, value in given.items():
        if option not in kind.options:
            takes = ", ".join(kind.options)
            raise ControlError(422, f"{kind.name} takes no option {option!r}; it takes {takes}.")
        accepts, expected = _OPTION_CHECKS[option]
        if not accepts(value):
            raise ControlError(422, f"{option} must be {expected}.")
    return given
