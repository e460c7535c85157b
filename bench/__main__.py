"""`make bench`: starts the product, plays the main job and many turns, prints one table."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from bench.audit import ROWS, measure_verifying
from bench.chaos import measure_stopping
from bench.charts import measure_charts
from bench.console import measure_lists
from bench.insights import measure_insights
from bench.large import ACCOUNTS, OUS, measure_plans
from bench.policy import PEOPLE, POLICIES, measure_decisions
from bench.product import Product
from bench.releases import measure_rollouts
from bench.slack import TURNS_A_SECOND, measure_acks
from bench.understanding import measure_understanding

TURNS = 400
WARM_UP = 40
SENTENCES = ("I need a new account on AWS", "my requests", "cancel", "help", "status of qm-22222222")


def quantile(values: list[float], share: float) -> float:
    """Return the value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        var_dir = Path(folder)
        with Product(var_dir) as product:
            first = product.seconds_to_first_answer
        with Product(var_dir) as product:
            second = product.seconds_to_first_answer
            job = product.vend("bench+1@corp.example")
            turns, share = measure_turns(product)
            memory = product.memory()
        large = var_dir / "large"
        large.mkdir()
        cold, plans, calls = measure_plans(large)
        watched = var_dir / "insights"
        watched.mkdir()
        insights = measure_insights(watched)
        chaos = var_dir / "chaos"
        chaos.mkdir()
        stopping = measure_stopping(chaos)
        record = var_dir / "record"
        record.mkdir()
        verifying = measure_verifying(record)
        released = var_dir / "releases"
        released.mkdir()
        releases = measure_rollouts(released)
    acks, decisions = measure_acks(), measure_decisions()
    ping = quantile(turns["ping"], 0.5)
    rows = [
        ("first start, to the first answer", f"{first:.2f} s"),
        ("second start, to the first answer", f"{second:.2f} s"),
        ("main job, sentence to account id (20 simulated minutes at speed 60)", f"{job:.1f} s"),
        ("a turn over REST, p50", f"{quantile(turns['turn'], 0.5) * 1000:.1f} ms"),
        ("a turn over REST, p99", f"{quantile(turns['turn'], 0.99) * 1000:.1f} ms"),
        ("a turn's p50 as a multiple of GET /healthz", f"{quantile(turns['turn'], 0.5) / ping:.1f} ×"),
        ("the engine's share of the turns' time", f"{share:.1%}"),
        ("memory of the bot after the main job and the turns", f"{memory['bot']:.0f} MiB"),
        ("memory of the sandbox", f"{memory['sandbox']:.0f} MiB"),
        ("memory of both", f"{memory['bot'] + memory['sandbox']:.0f} MiB"),
        (f"a first plan with {ACCOUNTS} accounts and {OUS} OUs", f"{cold:.2f} s"),
        ("further plans there, p50", f"{quantile(plans, 0.5) * 1000:.0f} ms"),
        ("further plans there, slowest", f"{max(plans) * 1000:.0f} ms"),
        ("AWS calls of a further plan there, most", f"{max(calls)}"),
        ("Slack events acknowledged, stored first", f"{acks.ours:,.0f}/s"),
        ("the same by stock slack-bolt under FastAPI, storing nothing", f"{acks.stock:,.0f}/s"),
        ("ours as a multiple of the stock app", f"{acks.ratio:.2f} ×"),
        (f"acknowledged while {TURNS_A_SECOND} turns a second are handled, p99", f"{acks.p99 * 1000:.0f} ms"),
        (f"a decision with {POLICIES} policies and {PEOPLE} people, p50", f"{quantile(decisions, 0.5) * 1000:.2f} ms"),
        (f"a decision with {POLICIES} policies and {PEOPLE} people, p99", f"{quantile(decisions, 0.99) * 1000:.2f} ms"),
        *insights,
        *measure_charts(),
        (
            f"a click to StopExperiment, {stopping.experiments} watched, p50",
            f"{quantile(stopping.clicks, 0.5) * 1000:.0f} ms",
        ),
        (
            f"a click to StopExperiment, {stopping.experiments} watched, p99",
            f"{quantile(stopping.clicks, 0.99) * 1000:.0f} ms",
        ),
        ("calls a minute for watching them", f"{stopping.calls_a_minute:.0f}"),
    ]
    rows += [(f"verifying an audit of {ROWS:,} rows", f"{verifying:.1f} s"), *releases, *measure_lists()]
    width = max(len(name) for name, _ in rows)
    for name, figure in rows:
        print(f"{name:<{width}}  {figure:>10}")
    corpora = os.environ.get("NLU_DATA")
    print("\nUnderstanding" + ("" if corpora else ", our own bot alone: NLU_DATA is not set, the corpora are skipped"))
    for title, text in measure_understanding(Path(corpora) if corpora else None):
        print(f"{title}: {text}")


def measure_turns(product: Product) -> tuple[dict[str, list[float]], float]:
    """Play turns one after the other; return seconds of each turn and of a bare request, and the engine's share."""
    turns: list[float] = []
    pings: list[float] = []
    for number in range(WARM_UP):
        product.say(SENTENCES[number % len(SENTENCES)], conversation=f"warm-{number % 8}")
    names = ("quartermaster_recognise_seconds_sum", "quartermaster_turn_seconds_sum")
    before = [product.metric(name) for name in names]
    for number in range(TURNS):
        begun = time.perf_counter()
        product.say(SENTENCES[number % len(SENTENCES)], conversation=f"turn-{number % 16}")
        between = time.perf_counter()
        product.client.get("/healthz")
        turns.append(between - begun)
        pings.append(time.perf_counter() - between)
    recognising, whole = (product.metric(name) - was for name, was in zip(names, before, strict=True))
    return {"turn": turns, "ping": pings}, recognising / whole


if __name__ == "__main__":
    main()
