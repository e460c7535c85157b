"""What a watch is about, as it is kept: the filters of a list without a time, OUs by their ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.insights import Severity
from bot.organization import Organization
from intents.insights.filters import Filters, units_below

_PARTS = ("kind", "severities", "accounts", "regions", "stack", "resource", "tags", "services", "topics")


def scope_of(filters: Filters, organization: Organization) -> dict[str, Any]:
    """Return filters as JSON types. The OUs that were named are kept, those below them are found when it matters."""
    scope: dict[str, Any] = {name: getattr(filters, name) for name in _PARTS}
    named = {unit.path: unit.id for unit in organization.units}
    scope["units"] = sorted(named[path] for path in filters.named_units)
    return {name: list(v) if isinstance(v, tuple) else v for name, v in scope.items() if v}


def filters_of(scope: Mapping[str, Any], organization: Organization) -> Filters:
    """Return the filters as the organization is now; an OU that is gone narrows to nothing."""
    wanted = scope.get("units", ())
    tops = [unit for unit in organization.units if unit.id in wanted]
    below = units_below(organization, tops)
    severities: tuple[Severity, ...] = tuple(scope.get("severities", ()))
    return Filters(
        kind=scope.get("kind", ""),
        severities=severities,
        accounts=tuple(scope.get("accounts", ())),
        units=below or frozenset(scope.get("units", ())),
        named_units=tuple(top.path for top in tops),
        regions=tuple(scope.get("regions", ())),
        stack=scope.get("stack", ""),
        resource=scope.get("resource", ""),
        tags=tuple(scope.get("tags", ())),
        services=tuple(scope.get("services", ())),
        topics=tuple(scope.get("topics", ())),
    )
