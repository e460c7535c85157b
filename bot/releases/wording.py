"""Strategies in people's words: “canary first, then 10 %, then everyone, skip acme until Monday”.

What can't be understood is refused by name rather than left out. The words that come back are the strategy's own, with
days resolved: said again, they mean the same on any later day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from bot.errors import Invalid
from bot.releases.waves import Deployment, Limits, Part, Skip, Strategy

NAMED = ("one at a time", "canary first, then 10 %, then everyone", "ring by ring", "region by region", "all at once")
"""Strategies to choose from; more can be said."""
SAYS = (
    "Say for example “canary first, then 10 %, then everyone, skip acme until Monday”, “one at a time”, "
    "“ring by ring”, “region by region”, “pools before silos”, or name deployments: “acme, then pool-7, then everyone”."
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FIRST = re.compile(r"^(?:and |then |first |only |just |the |to |in |do |start with |begin with |with )+")
_LAST = re.compile(r"(?: first| next| at last| last| of them| afterwards| please)+$")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_SEVERAL = re.compile(
    r"\b(?:skip|except|without|leave out|excluding) [\w.-]+(?:(?:,| and|, and) [\w.-]+)+(?= until )", re.IGNORECASE
)
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,79}")
_TIME = re.compile(r"(\d+(?:\.\d+)?) ?(s|sec|seconds?|m|min|minutes?|h|hours?|days?)")
_SHIFT = re.compile(
    r"(?:shift(?:ing)?|traffic|shift(?:ing)? (?:the )?traffic)(?: by)? "
    r"(?:all at once|at once|(\d{1,2}) %(?: of (?:the |its )?traffic)? (for|every)(?: (\d{1,4}))? ?m(?:in(?:ute)?s?)?)"
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

_EXPERIMENT = re.compile(
    r"(?:(?:run|start|do|pass) )?(?:the |an? |our )?(?:chaos )?"
    r"(?:experiment (?P<after>\S.{0,79}?)|(?P<before>\S.{0,79}?) (?:chaos )?experiment)"
    r"(?: (?:on|against) (?P<stack>[\w.-]+))?(?: for (?P<minutes>\d{1,3}) ?m(?:in(?:ute)?s?)?)?"
    r"(?P<always> (?:between|after)(?: the| all| each| every)? waves?)?"
)
_VALUE = re.compile(r"(.+?)(?: on ([\w.-]+))?(?: for (\d{1,3}) minutes)?")


@dataclass(frozen=True)
class Trial:
    """An experiment as a gate: its template's name or words of it, a stack, and a time limit in minutes (0: none)."""

    experiment: str
    stack: str = ""
    minutes: int = 0

    @property
    def value(self) -> str:
        """The words that stand for it in a strategy; `trial_of` is the inverse."""
        on = f" on {self.stack}" if self.stack else ""
        return f"{self.experiment}{on}" + (f" for {self.minutes} minutes" if self.minutes else "")


def trial_of(value: str) -> Trial:
    """Return what the value of an experiment's part or gate means."""
    found = _VALUE.fullmatch(value)
    return Trial(found[1], found[2] or "", int(found[3] or 0)) if found else Trial(value)


def experiments_of(strategy: Strategy) -> tuple[str, ...]:
    """Return the values of all experiments of a strategy, once each."""
    always = [value for kind, value in strategy.gates if kind == "experiment"]
    return tuple(dict.fromkeys([*(p.value for p in strategy.parts if p.kind == "experiment"), *always]))


def rename_experiments(strategy: Strategy, names: Mapping[str, str]) -> Strategy:
    """Return the strategy with other values for its experiments."""
    parts = tuple(replace(p, value=names[p.value]) if p.kind == "experiment" else p for p in strategy.parts)
    gates = tuple((kind, names[value] if kind == "experiment" else value) for kind, value in strategy.gates)
    return replace(strategy, parts=parts, gates=gates)


@dataclass
class _Reading:
    parts: list[Part] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    limits: Limits = field(default_factory=Limits)
    budget: int = 1
    budget_percent: float = 0.0
    gates: list[tuple[str, str]] = field(default_factory=list)
    skipping: bool = False
    shift: str = ""


def read_strategy(text: str, known: Iterable[Deployment], now: datetime) -> Strategy:
    """Return the strategy that words mean, of deployments that are known. Raises Invalid naming what is not clear."""
    listed, reading = tuple(known), _Reading()
    for clause in _clauses(text):
        if not _take(clause, reading, listed, now):
            raise Invalid(f"I don't understand “{clause[:80]}” as a part of a roll-out.", field="Waves", next_step=SAYS)
    if not any(p.kind != "experiment" for p in reading.parts):
        reading.parts = [*reading.parts, Part("rest")]
    if "experiment" in (reading.parts[0].kind, reading.parts[-1].kind):
        raise Invalid(
            "An experiment stands between two waves.",
            field="Waves",
            next_step="Say “canary, then run the az-outage experiment, then everyone”, or “… between waves”.",
        )
    if reading.parts == [Part("canary")]:
        reading.parts = [Part("canary"), Part("percent", "10"), Part("rest")]
    return Strategy(
        tuple(reading.parts),
        tuple(reading.skips),
        reading.limits,
        reading.budget,
        reading.budget_percent,
        tuple(reading.gates),
        reading.shift,
    )


def say_strategy(strategy: Strategy) -> str:
    """Return the words of a strategy; `read_strategy` is the inverse."""
    parts = [_say_part(p) for p in strategy.parts]
    limits = strategy.limits
    if limits.parallel == 1 and parts == ["everyone"]:
        said = "one at a time"
    else:
        said = ", then ".join(parts)
        said += f", at most {limits.parallel} at once" if limits.parallel else ""
    said += f", at most {limits.per_account} per account" if limits.per_account else ""
    said += f", at most {limits.per_region} per region" if limits.per_region else ""
    said += "".join(f", skip {s.name}{f' until {s.until[:10]}' if s.until else ''}" for s in strategy.skips)
    if strategy.budget_percent:
        said += f", stop after {strategy.budget_percent:g} % failures"
    elif strategy.budget != 1:
        said += f", stop after {strategy.budget} failures"
    said += f", shift {strategy.shift}" if strategy.shift else ""
    for kind, value in strategy.gates:
        said += f", {_say_gate(kind, value)}"
    return said


def _say_gate(kind: str, value: str) -> str:
    match kind:
        case "bake":
            return f"bake {float(value) / 60:g} minutes"
        case "alarm":
            return f"watch alarm {value}"
        case "http":
            return f"check {value}"
        case "insights":
            return "watch insights"
        case "experiment":
            return f"run experiment {value} between waves"
    return "ask me between waves"


def _say_part(part: Part) -> str:
    return {
        "canary": "canary",
        "ring": f"ring {part.value}",
        "rings": "ring by ring",
        "percent": f"{part.value} %",
        "count": f"next {part.value}",
        "region": f"region {part.value}",
        "regions": "region by region",
        "kind": f"{part.value}s",
        "ids": " + ".join(part.names),
        "rest": "everyone",
        "experiment": f"run experiment {part.value}",
    }[part.kind]


def _clauses(text: str) -> list[str]:
    plain = re.sub(r"\s+", " ", text.replace("\u2019", "'").strip().rstrip(".!?"))
    plain = re.sub(r"(\d)\s*(?:%|percent\b|per cent\b)", r"\1 %", plain, flags=re.IGNORECASE)
    plain = re.sub(
        r"(?<=\w) (?=(?:except|without|skip|skipping|excluding|at most|but not) )", ", ", plain, flags=re.IGNORECASE
    )
    plain = _SEVERAL.sub(lambda m: re.sub(r",? and |, ", " + ", m[0]), plain)
    found = []
    for piece in re.split(r"[,;]| (?:and )?then | and ", plain, flags=re.IGNORECASE):
        clause = piece.strip()
        if not re.match(r"https?://|check http", clause, re.IGNORECASE):
            clause = _LAST.sub("", _FIRST.sub("", clause.casefold())) if not _names_case(clause) else clause
        if clause and clause not in ("then", "and", "first"):
            found.append(clause)
    return found


def _names_case(clause: str) -> bool:
    return clause.casefold().startswith(("watch alarm ", "alarm "))


def _take(clause: str, reading: _Reading, known: tuple[Deployment, ...], now: datetime) -> bool:
    """Add what a clause says to the reading; tell whether it said anything."""
    if found := re.fullmatch(
        r"(?:skip|skipping|except|without|leave out|not|excluding|but not) (.+?)(?: (until|till) (.+))?", clause
    ):
        until = _day(found[3], now) if found[2] else ""
        reading.skips += [Skip(_named(name, known), until) for name in found[1].split(" + ")]
        reading.skipping = True
        return True
    if found := re.fullmatch(
        r"(?:stop|halt|pause) after (?:(\d+) failures?|(\d+(?:\.\d+)?) % failures?|the first failure)", clause
    ):
        reading.budget, reading.budget_percent = int(found[1] or 1), float(found[2] or 0)
        return True
    if found := re.fullmatch(
        r"(?:at most |max(?:imum)? |up to )?(\d+) (?:per|an?|in each|each) (account|region)", clause
    ):
        name = {"account": "per_account", "region": "per_region"}[found[2]]
        reading.limits = replace(reading.limits, **{name: _count(found[1])})
        return True
    if found := re.fullmatch(
        r"(?:at most |max(?:imum)? |up to )?(\d+) (?:at once|at a time|in parallel|at the same time)", clause
    ):
        reading.limits = replace(reading.limits, parallel=_count(found[1]))
        return True
    if clause in (
        "one at a time",
        "one by one",
        "one after the other",
        "one after another",
        "sequentially",
        "serially",
    ):
        reading.limits = replace(reading.limits, parallel=1)
        return True
    if shift := _shift(clause):
        reading.shift = shift
        return True
    if found := _EXPERIMENT.fullmatch(clause):
        trial = Trial((found["after"] or found["before"]).strip(), found["stack"] or "", int(found["minutes"] or 0))
        if found["always"]:
            reading.gates.append(("experiment", trial.value))
        else:
            reading.parts.append(Part("experiment", trial.value))
        return True
    if gate := _gate(clause):
        reading.gates.append(gate)
        return True
    if part := _part(clause, known):
        reading.parts += part
        return True
    if reading.skipping and any(d.is_called(clause) for d in known):
        reading.skips.append(Skip(clause, reading.skips[-1].until))
        return True
    names = tuple(n.strip() for n in re.split(r" \+ | & |/", clause))
    if all(any(d.is_called(n) for d in known) for n in names):
        reading.parts.append(Part("ids", names=names))
        return True
    return False


def _part(clause: str, known: tuple[Deployment, ...]) -> list[Part]:
    regions = {d.region for d in known}
    rings = {d.ring.casefold() for d in known if d.ring}
    if clause in ("canary", "canaries", "the canary", "a canary", "canary strategy"):
        return [Part("canary")]
    if clause in (
        "everyone", "everybody", "everything", "all", "rest", "everyone else", "everybody else", "all others", "others",
        "all at once", "everyone at once", "all of them", "remaining ones", "all the others", "all tenants",
        "all the rest",
    ):  # fmt: skip
        return [Part("rest")]
    if clause in ("ring by ring", "by ring", "by rings", "rings", "in rings"):
        return [Part("rings")]
    if clause in ("region by region", "by region", "by regions", "regions", "one region after the other"):
        return [Part("regions")]
    if clause in ("pools before silos", "pools before the silos"):
        return [Part("kind", "pool"), Part("kind", "silo")]
    if clause in ("silos before pools", "silos before the pools"):
        return [Part("kind", "silo"), Part("kind", "pool")]
    if found := re.fullmatch(r"(?:all )?(pool|silo)s", clause):
        return [Part("kind", found[1])]
    if found := re.fullmatch(r"(\d+(?:\.\d+)?) %(?: of (?:them|all|everyone|the rest|tenants|deployments))?", clause):
        if not 0 < float(found[1]) <= 100:
            raise Invalid(f"{found[1]} % is no share.", field="Waves", next_step="Say one from 1 to 100 %.")
        return [Part("percent", found[1])]
    if found := re.fullmatch(r"(?:next |first |another )?(\d+)(?: (?:more|deployments?|tenants?|of them))?", clause):
        return [Part("count", str(_count(found[1])))]
    if found := re.fullmatch(r"(?:region )?([a-z]{2}(?:-[a-z]+)+-\d)", clause):
        if found[1] not in regions:
            raise Invalid(f"Nothing is deployed in {found[1]}.", field="Waves", next_step=f"Regions: {_list(regions)}.")
        return [Part("region", found[1])]
    if found := re.fullmatch(r"(?:ring (.+)|(.+) ring)", clause):
        ring = (found[1] or found[2]).strip()
        if ring not in rings:
            raise Invalid(f"No deployment is in a ring “{ring}”.", field="Waves", next_step=f"Rings: {_list(rings)}.")
        return [Part("ring", ring)]
    return [Part("ring", clause)] if clause in rings else []


def _shift(clause: str) -> str:
    """Return how traffic is to be shifted; empty for what says nothing of it."""
    found = _SHIFT.fullmatch(clause)
    if not found or not found[1]:
        return "all at once" if found else ""
    minutes = int(found[3] or 1)
    many = f"{minutes} minute" + ("" if minutes == 1 else "s")
    return f"{found[1]} % {found[2]} {'minute' if found[2] == 'every' and minutes == 1 else many}"


def _gate(clause: str) -> tuple[str, str] | None:
    if found := re.fullmatch(
        r"(?:bake(?: for)?|wait(?: for)?|(?:with )?a pause of|pause(?: for)?) (.+?)"
        r"(?: (?:between|after)(?: the| each)? waves?)?",
        clause,
    ):
        time = _TIME.fullmatch(found[1])
        if time is None:
            return None
        seconds = float(time[1]) * _SECONDS[time[2][0]]
        return "bake", f"{seconds:g}"
    if re.fullmatch(
        r"(?:ask (?:me|us|somebody)|wait for (?:me|us|a person|a human)|human gate)(?: (?:between|after|before) .+)?",
        clause,
    ):
        return "human", ""
    if found := re.fullmatch(r"(?:watch (?:the )?)?alarm (\S.{0,250})", clause, re.IGNORECASE):
        return "alarm", found[1]
    if clause in ("watch insights", "watch the insights", "no open insights"):
        return "insights", ""
    if found := re.fullmatch(r"(?:check )?(https?://\S{1,500})", clause, re.IGNORECASE):
        return "http", found[1]
    return None


def _named(name: str, known: tuple[Deployment, ...]) -> str:
    word = name.strip()
    if not _NAME.fullmatch(word) or not any(d.is_called(word) for d in known):
        raise Invalid(f"There is no deployment “{word[:60]}” to skip.", field="Waves", next_step=_near(word, known))
    return word


def _near(word: str, known: tuple[Deployment, ...]) -> str:
    near = [d.id for d in known if word.casefold()[:2] == d.id.casefold()[:2]] or [d.id for d in known]
    return f"There are {_list(near[:8])}." if near else "An operator says “import the deployments”."


def _day(words: str, now: datetime) -> str:
    """Return the beginning of the day that words mean, ISO 8601 in UTC."""
    said = words.strip().casefold().removeprefix("next ").removeprefix("on ")
    if _DATE.fullmatch(said):
        try:
            return datetime.combine(date.fromisoformat(said), datetime.min.time(), UTC).isoformat()
        except ValueError:
            raise Invalid(f"{said} is no day.", field="Waves") from None
    today = datetime.combine(now.astimezone(UTC).date(), datetime.min.time(), UTC)
    if said == "tomorrow":
        return (today + timedelta(days=1)).isoformat()
    if said in _DAYS or said in {d[:3] for d in _DAYS}:
        ahead = ([d[:3] for d in _DAYS].index(said[:3]) - today.weekday() - 1) % 7 + 1
        return (today + timedelta(days=ahead)).isoformat()
    raise Invalid(
        f"“{words[:40]}” is no day that I know.", field="Waves", next_step="Say a weekday, “tomorrow”, or 2026-12-01."
    )


def _count(digits: str) -> int:
    if not 1 <= int(digits[:7]) <= 100_000:
        raise Invalid(f"{digits[:12]} is no such number.", field="Waves", next_step="Say one from 1 to 100,000.")
    return int(digits)


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
