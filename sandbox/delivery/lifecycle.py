"""The lifecycle events of CodeDeploy's deployments: in which order they come, and what became of each."""

from __future__ import annotations

from sandbox.delivery.tool_model import Shift

TRAFFIC = ("AllowTraffic", "AfterAllowTraffic")
LIFECYCLE = {
    "Lambda": ("BeforeAllowTraffic", *TRAFFIC),
    "ECS": (
        *("BeforeInstall", "Install", "AfterInstall", "AllowTestTraffic", "AfterAllowTestTraffic"),
        *("BeforeAllowTraffic", *TRAFFIC),
    ),
}
"""The events of a platform in their order: what comes before the traffic shifts, and the traffic."""
FIRST = {"Lambda": "BeforeAllowTraffic", "ECS": "Install"}
"""Which of them breaks where nothing else is said."""
_ENDED = ("Succeeded", "Failed", "Stopped")


def before_traffic(platform: str) -> tuple[str, ...]:
    """The events before the first of the traffic."""
    return LIFECYCLE[platform][: -len(TRAFFIC)]


def hooks_of(shift: Shift) -> list[tuple[str, float | None, float | None, str]]:
    """The lifecycle events of a deployment: name, beginning, end and status."""
    before = before_traffic(shift.platform)
    found: list[tuple[str, float | None, float | None, str]] = []
    for name in LIFECYCLE[shift.platform]:
        # All that happens before the traffic shifts is one stretch of time here.
        hook = shift.hooks.get("BeforeAllowTraffic" if name in before else name, [None, None, "Pending"])
        begun, ended, status = hook
        if name in before and status == "Failed":
            status = _status_in(before, name, shift)
        if shift.status in _ENDED and begun is None:
            status = "Skipped"
        found.append((name, begun, ended, status))
    return found


def _status_in(before: tuple[str, ...], name: str, shift: Shift) -> str:
    """What became of an event in a stretch in which one of them has failed."""
    broken = shift.doom_at if shift.doom_at in before else FIRST[shift.platform]
    if name == broken:
        return "Failed"
    return "Succeeded" if before.index(name) < before.index(broken) else "Skipped"
