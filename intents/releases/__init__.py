"""Releases: a version reaches thousands of deployments, in waves, with a hand on the brake."""

from __future__ import annotations

from bot.intent import Intent
from bot.releases.rollouts import Rollouts
from bot.services import Services
from intents.releases.adding import AddDeployment
from intents.releases.codedeploy import CodeDeploy
from intents.releases.commands import (
    AnswerPipelineApproval,
    ExplainFailure,
    PauseRollout,
    ResumeRollout,
    RetryDeployments,
    RollBack,
    RolloutStatus,
    SkipDeployments,
    StealComponent,
    StopRollout,
)
from intents.releases.desk import DeploymentVersions, ImportDeployments
from intents.releases.driving import Driving
from intents.releases.events import Events
from intents.releases.experiment_gates import ExperimentGates
from intents.releases.explaining import Explaining
from intents.releases.following import Following
from intents.releases.gates import Gates
from intents.releases.gathering import Gathering
from intents.releases.master import MasterTable
from intents.releases.notes import Notes
from intents.releases.pipeline_runs import PipelineRuns
from intents.releases.provisioning import Provisioning
from intents.releases.removing import RemoveDeployment
from intents.releases.rolling import RollOut
from intents.releases.shift_explaining import ShiftExplaining
from intents.releases.shift_facts import ShiftFacts
from intents.releases.shift_import import TaggedTargets
from intents.releases.shift_runs import ShiftRuns
from intents.releases.steering import Steering
from intents.releases.toolchain import Toolchain


def create(services: Services) -> list[Intent]:
    """Return this folder's intents."""
    toolchain, rollouts = Toolchain(services), Rollouts(services.database, services.clock)
    codedeploy = CodeDeploy(services)
    pipelines, shifts = PipelineRuns(services, rollouts, toolchain), ShiftRuns(services, rollouts, codedeploy)
    following = Following(services, rollouts, pipelines, shifts)
    experiments = ExperimentGates(services)
    steering = Steering(services, rollouts, toolchain, experiments)
    gathering = Gathering(services, toolchain, ShiftFacts(services, codedeploy), experiments)
    gates = Gates(services, rollouts, toolchain, experiments)
    events = Events(services, rollouts, following, toolchain)
    driving = Driving(services, rollouts, following, gates, experiments, events)
    provisioning, table = Provisioning(services, toolchain), MasterTable(services)
    return [
        RollOut(services, rollouts, gathering, driving, steering, Notes(services, rollouts, toolchain)),
        PauseRollout(services, steering),
        ResumeRollout(services, steering),
        StopRollout(services, steering),
        RetryDeployments(services, steering),
        SkipDeployments(services, steering),
        RollBack(services, steering),
        AnswerPipelineApproval(services, steering),
        StealComponent(services, steering),
        ExplainFailure(services, steering, rollouts, Explaining(services, toolchain, ShiftExplaining(codedeploy))),
        RolloutStatus(services, steering, rollouts),
        DeploymentVersions(services, table),
        ImportDeployments(services, toolchain, table, TaggedTargets(services)),
        AddDeployment(services, toolchain, provisioning, table),
        RemoveDeployment(services, toolchain, provisioning, table, rollouts),
    ]
