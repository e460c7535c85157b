"""Chaos experiments of AWS Fault Injection Service: planned, approved, watched, and stopped at once."""

from __future__ import annotations

from bot.intent import Intent
from bot.services import Services
from intents.chaos.commands import AllowExperiments, KeepExperimentGoing, StopEverything, StopExperiment
from intents.chaos.fis import Fis
from intents.chaos.queries import ExperimentCatalogue, ExperimentReport, ExperimentTargets
from intents.chaos.reporting import Reporting
from intents.chaos.starting import StartExperiment


def create(services: Services) -> list[Intent]:
    """Return this folder's intents."""
    fis = Fis(services)
    reporting = Reporting(services, fis)
    return [
        ExperimentCatalogue(services, fis),
        ExperimentTargets(services, fis),
        StartExperiment(services, fis, reporting),
        StopExperiment(services),
        KeepExperimentGoing(services),
        StopEverything(services, fis),
        AllowExperiments(services, fis),
        ExperimentReport(services, reporting),
    ]
