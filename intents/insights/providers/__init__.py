"""Who tells of insights: the providers that the setting INSIGHT_PROVIDERS names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.insights import InsightSource
from bot.services import Services
from intents.insights.budget import Budget
from intents.insights.providers.cloudwatch import CloudWatch
from intents.insights.providers.devopsguru import DevOpsGuru

_MADE_BY: Mapping[str, Callable[[Services, Budget], InsightSource]] = {
    "devops-guru": DevOpsGuru,
    "cloudwatch": CloudWatch,
}


def build(services: Services, budget: Budget) -> tuple[InsightSource, ...]:
    """Return the providers that are in use, sharing one rate budget."""
    return tuple(_MADE_BY[name](services, budget) for name in services.settings.insight_providers)
