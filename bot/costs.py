"""What Cost Explorer says was spent."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

from bot.accounts import GLOBAL_REGION
from bot.cloud import Cloud

COST = "UnblendedCost"


async def spent_by(
    cloud: Cloud, role: str, dimension: str, start: date, end: date, **wanted: Any
) -> dict[str, Decimal]:
    """Return US dollars by the values of a dimension (SERVICE, LINKED_ACCOUNT), dearest first.

    From one day up to (not with) another, as Cost Explorer counts them, in UTC; `wanted` narrows it down, as in
    `Filter`. Raises CloudError.
    """
    sums: dict[str, Decimal] = defaultdict(Decimal)
    page: dict[str, str] = {}
    while True:
        answer = await cloud.call(
            "ce",
            "GetCostAndUsage",
            region=GLOBAL_REGION,
            role=role,
            TimePeriod={"Start": start.isoformat(), "End": end.isoformat()},
            Granularity="MONTHLY",
            Metrics=[COST],
            GroupBy=[{"Type": "DIMENSION", "Key": dimension}],
            **wanted,
            **page,
        )
        for period in answer["ResultsByTime"]:
            for group in period.get("Groups", ()):
                sums[group["Keys"][0]] += Decimal(group["Metrics"][COST]["Amount"])
        if not answer.get("NextPageToken"):
            return dict(sorted(sums.items(), key=lambda pair: -pair[1]))
        page = {"NextPageToken": answer["NextPageToken"]}
