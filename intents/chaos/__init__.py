"""Chaos experiments of AWS Fault Injection Service: planned, approved, watched, and stopped at once."""

from __future__ import annotations

from bot.intent import Intent
from bot.services import Services
from intents.chaos.commands import AllowExperiments, KeepExperimentGoing, StopEverything, StopExperiment
from intents.chaos.fis import Fis
from intents.chaos.previewing import PreviewExperiment
from intents.chaos.queries import ExperimentCatalogue, ExperimentReport, ExperimentTargets
from intents.chaos.reporting import Reporting
from intents.chaos.schedule_queries import EndExperimentSchedule, ExperimentSchedules
from intents.chaos.scheduling import ScheduleExperiment
from intents.chaos.starting import StartExperiment


def create(services: Services) -> list[Intent]:
    """Return this folder's intents."""
    fis = Fis(services)
    reporting = Reporting(services, fis)
    starting = StartExperiment(services, fis, reporting)
    return [
        ExperimentCatalogue(services, fis),
        ExperimentTargets(services, fis),
        starting,
        PreviewExperiment(services, fis, reporting),
        ScheduleExperiment(services, fis, starting),
        ExperimentSchedules(services),
        EndExperimentSchedule(services),
        StopExperiment(services),
        KeepExperimentGoing(services),
        StopEverything(services, fis),
        AllowExperiments(services, fis),
        ExperimentReport(services, reporting),
    ]
