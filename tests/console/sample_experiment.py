"""An experiment under way, and one that has ended, with what the page of experiments shows of them."""

from __future__ import annotations

from bot.database import Transaction
from bot.plan import Plan
from bot.requests import RequestRecord
from bot.requests.record import PROGRESS
from intents.chaos import create
from tests.console.stage import Stage, sample_plan

LINES = [
    ["running", "CutNetwork", "running. Cut us-east-1a off, 4 of 10 min"],
    ["running", "StopInstances", "running. Stop the instances in us-east-1a, 4 of 5 min"],
    ["waiting", "Settle", "pending. After CutNetwork and StopInstances"],
    ["done", "checkout-staging-errors", "OK"],
]


async def with_experiment(stage: Stage) -> RequestRecord:
    """Put two experiments up on a stage; return the request of the one that runs."""
    services = stage.services
    services.registry.intents |= {i.definition.name: i for i in create(services)}
    ended = await stage.ask("bo@corp.example", _plan("instance-loss-checkout-staging"))
    await stage.settle(
        ended, "stopped", text="It was stopped.", verdict="The hypothesis did not hold.", status="stopped"
    )
    running = await stage.ask("ana@corp.example", _plan("az-outage-checkout-staging"))
    await stage.settle(running, "running")

    async def work(transaction: Transaction) -> None:
        await services.requests.note(transaction, running.id, **{PROGRESS: LINES})

    await services.database.write(work)
    return running


def _plan(name: str) -> Plan:
    return sample_plan(
        intent="StartExperiment",
        summary=f"Run the experiment {name} on checkout-staging",
        effects={"template": "EXT1a2b3c4d5e6f7g8", "name": name, "stack": "checkout-staging"},
        details=(("Experiment", name), ("Hits (instances)", "2 of 6 instances")),
        checks=(),
    )
