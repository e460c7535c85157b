"""What a template would hit now: its targets, resolved by the bot itself before anything is started."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bot.services import Services
from intents.chaos.describing import CLUSTER, DATABASE, FUNCTION, INSTANCE, SUBNET, TASK, Described
from intents.chaos.model import Place, Template

NOUNS = {
    INSTANCE: "instances",
    SUBNET: "subnets",
    TASK: "tasks",
    DATABASE: "databases",
    CLUSTER: "database clusters",
    FUNCTION: "functions",
}
_MODE = re.compile(r"(COUNT|PERCENT)\((\d+)\)")
FULL, EMPTY = "■", "□"


@dataclass(frozen=True)
class Thing:
    """Something that can be hit: its ARN and Availability Zone (empty: in none)."""

    arn: str
    zone: str


@dataclass(frozen=True)
class Hit:
    """What one target comes to: `taken` of the `candidates`, out of all (`of`) that carry the same tags."""

    name: str
    kind: str
    mode: str
    taken: int
    candidates: tuple[Thing, ...]
    of: tuple[Thing, ...]

    @property
    def noun(self) -> str:
        """What its resources are called."""
        return NOUNS.get(self.kind, self.kind.rpartition(":")[2] + " resources")

    def sentence(self) -> str:
        """Return how many of how many are hit."""
        chance = "" if self.taken == len(self.candidates) else f", taken by chance out of {len(self.candidates)}"
        return f"{self.taken} of {len(self.of)} {self.noun}{chance}"

    def picture(self) -> tuple[tuple[str, str, str], ...]:
        """Return a row a zone: the zone, a bar, and how many of how many may be hit there."""
        every, aimed = Counter(t.zone for t in self.of), Counter(t.zone for t in self.candidates)
        return tuple(
            (zone or "no zone", FULL * min(aimed[zone], 20) + EMPTY * min(n - aimed[zone], 20), f"{aimed[zone]} of {n}")
            for zone, n in sorted(every.items())
        )

    def figure(self) -> dict[str, Any]:
        """Return it as `bot.charts.blast` draws it."""
        every, aimed = Counter(t.zone for t in self.of), Counter(t.zone for t in self.candidates)
        return {
            "noun": self.noun,
            "sentence": self.sentence(),
            "is_by_chance": self.taken != len(self.candidates),
            "zones": [[zone or "no zone", aimed[zone], count] for zone, count in sorted(every.items())],
        }

    def as_dict(self) -> dict[str, Any]:
        """Return JSON types; `hit_from` is the inverse."""
        return asdict(self)

    def misses(self, arns: list[str]) -> str:
        """Return in which way what a run resolved is not what was planned; empty when it is."""
        strange = sorted(set(arns) - {t.arn for t in self.candidates})
        if strange:
            return f"target {self.name} also came to {', '.join(a.rpartition('/')[2] for a in strange[:3])}"
        if len(set(arns)) != self.taken:
            return f"target {self.name} came to {len(set(arns))} {self.noun}, planned were {self.taken}"
        return ""


def hit_from(data: Mapping[str, Any]) -> Hit:
    """Rebuild a hit from `as_dict`'s output."""
    things = {name: tuple(Thing(**t) for t in data[name]) for name in ("candidates", "of")}
    return Hit(**{**data, **things})


def hit_of_plan(name: str, target: Mapping[str, Any]) -> Hit:
    """Return a target as a plan's effects keep it."""
    things = tuple(Thing(arn, "") for arn in target["arns"])
    return Hit(name, target.get("kind", "resources"), target["mode"], target["taken"], things, things)


def differences(hits: Iterable[Hit], resolved: Mapping[str, list[str]]) -> str:
    """Return how what FIS resolved differs from what was planned; empty when it does not."""
    planned = {hit.name: hit for hit in hits}
    found = [hit.misses(resolved.get(name, [])) for name, hit in planned.items()]
    found += [f"there is another target, {name}" for name in sorted(resolved.keys() - planned.keys())]
    return "; ".join(words for words in found if words)


class Targets:
    """Resolves targets in every account of a template."""

    def __init__(self, services: Services) -> None:
        self._services, self._described = services, Described(services.cloud)

    async def resolve(self, template: Template) -> tuple[Hit, ...]:
        """Return what each target comes to, read now. Raises CloudError."""
        hits = []
        for name, target in sorted(template.targets.items()):
            described = [d for place in self._places(template) for d in await self._described.all(place, target)]
            every = [d for d in described if _is_named(d, target)]
            aimed = [d for d in every if _fits_parameters(d, target) and _passes(d, target)]
            things = tuple(sorted((_thing(d) for d in aimed), key=lambda t: t.arn))
            hits.append(
                Hit(
                    name,
                    target["resourceType"],
                    target["selectionMode"],
                    _taken(target["selectionMode"], len(things)),
                    things,
                    tuple(sorted((_thing(d) for d in every), key=lambda t: t.arn)),
                )
            )
        return tuple(hits)

    def _places(self, template: Template) -> list[Place]:
        if not template.accounts:
            return [template.place]
        settings = self._services.settings
        own = {Place(role, template.place.region).account: role for role in settings.chaos_role_arn}
        return [Place(own.get(a) or settings.member_role(a), template.place.region) for a in template.accounts]


def _is_named(described: Mapping[str, Any], target: Mapping[str, Any]) -> bool:
    arns = target.get("resourceArns")
    tags = {t.get("Key", t.get("key")): t.get("Value", t.get("value")) for t in _tags(described)}
    wanted = target.get("resourceTags", {})
    return (not arns or described["_arn"] in arns) and all(tags.get(k) == v for k, v in wanted.items())


def _tags(described: Mapping[str, Any]) -> list[Mapping[str, str]]:
    return described.get("Tags") or described.get("tags") or described.get("TagList") or []


def _fits_parameters(described: Mapping[str, Any], target: Mapping[str, Any]) -> bool:
    parameters = target.get("parameters", {})
    zone, vpc = parameters.get("availabilityZoneIdentifier"), parameters.get("vpc")
    several = parameters.get("availabilityZoneIdentifiers") or parameters.get("writerAvailabilityZoneIdentifiers")
    service, group = parameters.get("service"), str(described.get("group", ""))
    places = {_zone(described), described.get("AvailabilityZoneId", "")}
    return (
        (not zone or zone in places)
        and (not several or bool({one.strip() for one in several.split(",")} & places))
        and (not vpc or vpc == described.get("VpcId"))
        and (not service or group == f"service:{service.rpartition('/')[2]}")
    )


def _passes(described: Mapping[str, Any], target: Mapping[str, Any]) -> bool:
    return all(set(f["values"]) & set(_values([described], f["path"].split("."))) for f in target.get("filters", ()))


def _values(found: list[Any], path: list[str]) -> Iterator[str]:
    for entry in found:
        if isinstance(entry, list):
            yield from _values(entry, path)
        elif not path:
            yield str(entry)
        elif isinstance(entry, Mapping) and path[0] in entry:
            yield from _values([entry[path[0]]], path[1:])


def _thing(described: Mapping[str, Any]) -> Thing:
    return Thing(described["_arn"], _zone(described))


def _zone(described: Mapping[str, Any]) -> str:
    placed = described.get("Placement", {}).get("AvailabilityZone")
    return str(
        placed or described.get("_zone") or described.get("AvailabilityZone") or described.get("availabilityZone") or ""
    )


def _taken(mode: str, candidates: int) -> int:
    found = _MODE.fullmatch(mode)
    if found is None:
        return candidates
    return min(int(found[2]), candidates) if found[1] == "COUNT" else candidates * int(found[2]) // 100
