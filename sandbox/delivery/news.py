"""What deliveries tell the world: state changes as EventBridge words them, made only if somebody listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.delivery.model import ActionRun, Execution, Pipeline

if TYPE_CHECKING:
    from sandbox.world import World


def pipeline_changed(world: World, pipeline: Pipeline, execution: Execution, state: str, at: float) -> None:
    """An execution has begun, ended, or is on its way to stop."""


def stage_changed(world: World, pipeline: Pipeline, execution: Execution, stage: str, state: str, at: float) -> None:
    """A stage of an execution has begun or ended."""


def action_changed(world: World, pipeline: Pipeline, execution: Execution, run: ActionRun, at: float) -> None:
    """An action of an execution has begun or ended."""
