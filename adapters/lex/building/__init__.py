"""Makes the Lex V2 bot in AWS from the intents' definitions: describes and compares first, changes what differs."""

from __future__ import annotations

from adapters.lex.building.bots import Target
from adapters.lex.building.deploying import Deployed, Deployer
from adapters.lex.building.planning import Step
from adapters.lex.building.policy import least_policy
from adapters.lex.building.progress import ProgressBar

__all__ = ["Deployed", "Deployer", "ProgressBar", "Step", "Target", "least_policy"]
