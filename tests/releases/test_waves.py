"""Waves: every deployment exactly once, limits and windows kept, and the same answer in whatever order it is asked."""

from __future__ import annotations

import heapq
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.errors import Invalid
from bot.releases.rollouts import Rules
from bot.releases.waves import (
    ONE_AT_A_TIME,
    Deployment,
    Limits,
    Part,
    Place,
    Skip,
    Strategy,
    ideal_seconds,
    lay_out,
    startable,
)
from bot.releases.windows import window_of
from bot.releases.wording import experiments_of, read_strategy, say_strategy, trial_of
from tests.releases.test_following import ROLLOUT

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)  # a Wednesday
REGIONS, ACCOUNTS = ("eu-west-1", "us-east-1", "ap-south-1"), ("111111111111", "222222222222", "333333333333")
WINDOWS = ("", "Mon-Sun 00:00-24:00 UTC".replace("24:00", "00:00"), "Sat-Sun 02:00-05:00 Europe/Berlin")

deployments = st.lists(
    st.builds(
        Deployment,
        component=st.just("shop"),
        id=st.integers(1, 60).map(str),
        kind=st.sampled_from(("silo", "pool")),
        account=st.sampled_from(ACCOUNTS),
        region=st.sampled_from(REGIONS),
        tenants=st.integers(1, 500),
        ring=st.sampled_from(("", "early", "late", "canary")),
        tags=st.sampled_from(((), ("vip",))),
        window=st.sampled_from(WINDOWS),
        pinned=st.sampled_from(("", "", "", "2.0.0", "1.0.0")),
        version=st.sampled_from(("", "1.0.0", "2.0.0")),
        commit=st.sampled_from(("", "c1", "c2")),
    ),
    unique_by=lambda d: d.key,
    max_size=30,
)
parts = st.one_of(
    st.sampled_from(("canary", "rings", "regions", "rest")).map(lambda kind: Part(kind)),  # type: ignore[arg-type]
    st.integers(1, 100).map(lambda n: Part("percent", str(n))),
    st.integers(1, 9).map(lambda n: Part("count", str(n))),
    st.sampled_from(("early", "late")).map(lambda ring: Part("ring", ring)),
    st.sampled_from(REGIONS).map(lambda region: Part("region", region)),
    st.sampled_from(("silo", "pool")).map(lambda kind: Part("kind", kind)),
    st.just(Part("ids", names=("vip", "7"))),
)
limits = st.builds(Limits, parallel=st.integers(0, 6), per_account=st.integers(0, 3), per_region=st.integers(0, 3))
strategies = st.builds(
    Strategy,
    parts=st.lists(parts, max_size=5).map(tuple),
    skips=st.sampled_from(
        ((), (Skip("7"),), (Skip("vip", "2026-11-30T00:00:00+00:00"),), (Skip("8", "2026-01-01T00:00:00+00:00"),))
    ),
    limits=limits,
)


@settings(max_examples=60, deadline=None)
@given(deployments, strategies)
def test_every_deployment_comes_exactly_once_and_in_the_same_order_however_listed(
    listed: list[Deployment], strategy: Strategy
) -> None:
    layout = lay_out(listed, strategy, "2.0.0", "c2", NOW)
    seen = [d.key for wave in layout.waves for d in wave.members] + [d.key for d, _ in layout.left_out]
    assert sorted(seen) == sorted(d.key for d in listed)
    assert all(wave.members for wave in layout.waves)
    assert lay_out(reversed(listed), strategy, "2.0.0", "c2", NOW) == layout


@settings(max_examples=60, deadline=None)
@given(deployments, strategies)
def test_nobody_who_is_skipped_or_pinned_is_in_a_wave(listed: list[Deployment], strategy: Strategy) -> None:
    layout = lay_out(listed, strategy, "2.0.0", "c2", NOW)
    for deployment in (d for wave in layout.waves for d in wave.members):
        assert deployment.pinned in ("", "2.0.0")
        for skip in strategy.skips:
            assert not deployment.is_called(skip.name) or (skip.until and datetime.fromisoformat(skip.until) <= NOW)


@settings(max_examples=60, deadline=None)
@given(deployments, limits, st.integers(0, 7 * 24), st.randoms(use_true_random=False))
def test_a_wave_runs_to_its_end_within_limits_and_windows(
    listed: list[Deployment], limits: Limits, hours: int, random: object
) -> None:
    """Play a wave by the hour and the end of each run; nothing starts outside its window or beyond a limit."""
    waiting = [Place(d.key, d.account, d.region, d.window) for d in listed]
    order = [p.key for p in waiting]
    running: list[tuple[datetime, int, Place]] = []
    now, number, started = NOW + timedelta(hours=hours), count(), []
    for _ in range(5_000):
        if not waiting and not running:
            break
        chosen = startable(waiting, (p for _, _, p in running), limits, now)
        for place in chosen:
            window = window_of(place.window)
            assert window is None or window.is_open(now)
            heapq.heappush(running, (now + timedelta(minutes=random.randint(3, 20)), next(number), place))  # type: ignore[attr-defined]
        started += [p.key for p in chosen]
        waiting = [p for p in waiting if p not in chosen]
        for limit, values in (
            (limits.parallel, ["all"] * len(running)),
            (limits.per_account, [p.account for _, _, p in running]),
            (limits.per_region, [p.region for _, _, p in running]),
        ):
            assert not limit or max((values.count(v) for v in values), default=0) <= limit
        openings = [w.next(now) for p in waiting if (w := window_of(p.window))]
        later = [moment for moment in (*(end for end, _, _ in running), *openings) if moment > now]
        now = min(later, default=now)
        while running and running[0][0] <= now:
            heapq.heappop(running)
    assert sorted(started) == sorted(order)


@settings(max_examples=60, deadline=None)
@given(deployments, strategies)
def test_a_strategy_in_words_means_what_it_was(listed: list[Deployment], strategy: Strategy) -> None:
    assume(strategy.parts != (Part("canary"),))  # said alone, it means that everyone follows
    words = say_strategy(strategy)
    names = {"vip", "7", "8"}
    known = [
        *listed,
        *(
            Deployment("shop", f"extra-{n}", "silo", ACCOUNTS[0], r, ring=g, tags=tuple(names))
            for n, (r, g) in enumerate(zip(REGIONS, ("early", "late", ""), strict=True))
        ),
    ]
    again = read_strategy(words, known, NOW)
    assert (
        lay_out(known, again, "2.0.0", "c2", NOW) == lay_out(known, strategy, "2.0.0", "c2", NOW) or not strategy.parts
    )
    assert again.limits == strategy.limits


@settings(max_examples=60, deadline=None)
@given(deployments, st.lists(parts, min_size=2, max_size=5), st.data())
def test_experiments_stand_between_waves_and_change_none_of_them(
    listed: list[Deployment], named: list[Part], data: st.DataObject
) -> None:
    bare = Strategy(tuple(named))
    tried = list(named)
    for value in data.draw(st.lists(st.sampled_from(("az-outage", "cpu-stress for 5 minutes")), max_size=3)):
        tried.insert(data.draw(st.integers(1, len(tried) - 1)), Part("experiment", value))
    strategy = Strategy(tuple(tried))
    layout = lay_out(listed, strategy, "2.0.0", "c2", NOW)
    assert layout.waves == lay_out(listed, bare, "2.0.0", "c2", NOW).waves
    assert all(0 < wave < len(layout.waves) for wave, _ in layout.experiments)
    assert {value for _, value in layout.experiments} <= set(experiments_of(strategy))
    assert [wave for wave, _ in layout.experiments] == sorted(wave for wave, _ in layout.experiments)
    before = {wave for wave, _ in layout.experiments}
    rules = Rules.of(strategy, layout)
    assert {wave + 1 for wave in range(len(layout.waves)) if _due(rules, wave)} == before


def _due(rules: Rules, wave: int) -> bool:
    """Tell whether an experiment is due behind a wave."""
    return bool(replace(ROLLOUT, rules=rules, wave=wave).due_gates)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("canary, then run the az-outage experiment, then everyone", "canary, then run experiment az-outage, then"),
        ("canary, then chaos experiment cpu-stress for 5 minutes, then all", "run experiment cpu-stress for 5 minutes"),
        ("canary, then the outage experiment on checkout-staging, then all", "experiment outage on checkout-staging"),
        ("canary, then everyone, run the az-outage experiment between waves", "run experiment az-outage between waves"),
        ("ring by ring, az-outage experiment after each wave", "run experiment az-outage between waves"),
    ],
)
def test_an_experiment_is_said_in_several_ways_and_means_the_same_again(said: str, wanted: str) -> None:
    listed = [Deployment("shop", "1", "silo", ACCOUNTS[0], REGIONS[0], ring="early")]
    strategy = read_strategy(said, listed, NOW)
    words = say_strategy(strategy)
    assert wanted in words
    assert read_strategy(words, listed, NOW) == strategy
    (value,) = experiments_of(strategy)
    assert trial_of(value).value == value


def test_the_sample_s_own_strategy_starts_one_after_the_other_and_ends_at_the_first_failure() -> None:
    listed = [Deployment("shop", str(n), "pool", ACCOUNTS[0], REGIONS[0]) for n in (10, 2, 1)]
    listed.append(Deployment("shop", "acme", "silo", ACCOUNTS[1], REGIONS[0]))
    (wave,) = lay_out(listed, ONE_AT_A_TIME, "2.0.0", "c2", NOW).waves
    places = [Place(d.key, d.account, d.region) for d in wave.members]
    assert [p.key for p in places] == ["pool-1", "pool-2", "pool-10", "silo-acme"]
    assert startable(places, (), ONE_AT_A_TIME.limits, NOW) == places[:1]
    assert startable(places[1:], places[:1], ONE_AT_A_TIME.limits, NOW) == []
    assert not Rules.of(ONE_AT_A_TIME).halts(0, 4)
    assert Rules.of(ONE_AT_A_TIME).halts(1, 4)
    assert ideal_seconds([60.0, 120.0], places[:2], ONE_AT_A_TIME.limits) == 180.0


def test_canary_then_a_share_then_everyone_with_a_skip_until_monday() -> None:
    listed = [Deployment("shop", str(n), "pool", ACCOUNTS[0], REGIONS[0], tenants=n) for n in range(1, 20)]
    listed.append(Deployment("shop", "acme", "silo", ACCOUNTS[1], REGIONS[0]))
    words = "canary first, then 10 %, then everyone, skip acme until Monday"
    strategy = read_strategy(words, listed, NOW)
    layout = lay_out(listed, strategy, "2.0.0", "c2", NOW)
    assert [(w.name, len(w.members)) for w in layout.waves] == [("canary", 1), ("10 %", 1), ("everyone else", 17)]
    assert layout.waves[0].members[0].key == "pool-1"
    assert [(d.id, why) for d, why in layout.left_out] == [("acme", "skipped until 2026-11-30 00:00")]
    assert read_strategy(say_strategy(strategy), listed, NOW + timedelta(days=9)) == strategy


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("canary, then whoever shouts loudest", "whoever shouts loudest"),
        ("everyone, skip nobody-we-know", "nobody-we-know"),
        ("150 %, then everyone", "150 %"),
        ("everyone, skip acme until the cows come home", "the cows come home"),
        ("ring platinum, then everyone", "platinum"),
        ("mars-north-1, then everyone", "mars-north-1"),
    ],
)
def test_what_is_not_understood_is_named_and_not_left_out(words: str, named: str) -> None:
    listed = [Deployment("shop", "acme", "silo", ACCOUNTS[0], REGIONS[0], ring="early")]
    with pytest.raises(Invalid) as refused:
        read_strategy(words, listed, NOW)
    assert named in refused.value.detail


@pytest.mark.parametrize(
    ("window", "at", "opens"),
    [
        ("Mon-Fri 22:00-04:00 UTC", "2026-11-28T03:59:00", "2026-11-28T03:59:00"),  # Friday's, on Saturday
        ("Mon-Fri 22:00-04:00 UTC", "2026-11-28T04:00:00", "2026-11-30T22:00:00"),
        ("Sun 01:30-03:30 Europe/Berlin", "2027-03-28T00:00:00", "2027-03-28T00:30:00"),  # the clocks change within it
    ],
)
def test_windows_cross_midnight_and_follow_the_clocks(window: str, at: str, opens: str) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    found = window_of(window)
    assert found is not None
    assert found.next(moment) == datetime.fromisoformat(opens).replace(tzinfo=UTC)
    with pytest.raises(Invalid):
        window_of("whenever 1:00-2:00 UTC")
