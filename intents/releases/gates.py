"""Gates between waves: time to bake, an alarm, insights, an answer over HTTP, an experiment, somebody's word."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import httpx
import structlog

from bot.errors import CloudError
from bot.releases.rollouts import Rollout, Rollouts
from bot.requests import RequestRecord
from bot.services import Services
from bot.words import lasting
from intents.releases.experiment_gates import ExperimentGates
from intents.releases.toolchain import Toolchain

log = structlog.get_logger(__name__)

Result = Literal["ok", "waits", "fails"]
HTTP_SECONDS = 10.0
_ALARM = re.compile(r"arn:aws[a-z-]*:cloudwatch:([a-z0-9-]+):(\d{12}):alarm:(.{1,255})")


class Judgement(NamedTuple):
    """Whether the next wave may begin, a sentence that says why not, and the gates that failed."""

    result: Result
    sentence: str
    failed: tuple[tuple[str, str], ...] = ()


class Gates:
    """Judges them; asks, and changes nothing but that it begins experiments."""

    def __init__(
        self, services: Services, rollouts: Rollouts, toolchain: Toolchain, experiments: ExperimentGates
    ) -> None:
        self._services, self._rollouts, self._toolchain = services, rollouts, toolchain
        self._experiments = experiments

    def baked(self, rollout: Rollout, now: datetime) -> bool:
        """Tell whether the time to bake is over."""
        return self._left(rollout, now) <= timedelta()

    async def judge(self, rollout: Rollout, record: RequestRecord, now: datetime) -> Judgement:
        """Judge all gates but those that somebody skipped; where several hold it up, one that fails is told of.

        No experiment is begun while another gate fails.
        """
        skipped = {(kind, value) for kind, value in rollout.gates.get("skipped", ())}
        due = [(number, gate) for number, gate in enumerate(rollout.due_gates) if gate not in skipped]
        gates = [gate for _, gate in due if gate[0] != "experiment"]
        judged = list(await asyncio.gather(*(self._judge(kind, value, rollout, now) for kind, value in gates)))
        if not any(result == "fails" for result, _ in judged):
            for number, gate in due:  # one after the other: two at once would tell nothing of either
                if gate[0] != "experiment":
                    continue
                gates.append(gate)
                judged.append(await self._experiments.judge(record, rollout, number))
                if judged[-1][0] != "ok":
                    break
        failed = tuple(gate for gate, (result, _) in zip(gates, judged, strict=True) if result == "fails")
        for wanted in ("fails", "waits"):
            told = [sentence for result, sentence in judged if result == wanted]
            if told:
                return Judgement(wanted, "; ".join(told) if wanted == "fails" else told[0], failed)
        return Judgement("ok", "")

    async def _judge(self, kind: str, value: str, rollout: Rollout, now: datetime) -> tuple[Result, str]:
        match kind:
            case "bake":
                left = self._left(rollout, now)
                return ("ok", "") if left <= timedelta() else ("waits", f"baking for another {lasting(left)}")
            case "human":
                return "waits", "waiting for somebody to say “continue the rollout”"
            case "alarm":
                return await self._alarm(value)
            case "insights":
                return await self._insights(rollout)
            case "http":
                return await self._http(value)
        return "fails", f"there is no gate called {kind}"

    def _left(self, rollout: Rollout, now: datetime) -> timedelta:
        seconds = max((float(value) for kind, value in rollout.due_gates if kind == "bake"), default=0.0)
        since = datetime.fromisoformat(rollout.gates["since"]) if rollout.gates.get("since") else now
        return since + timedelta(seconds=seconds) - now

    async def _alarm(self, named: str) -> tuple[Result, str]:
        found = _ALARM.fullmatch(named)
        name = found[3] if found else named
        try:
            if found:
                alarms = await self._services.cloud.call(
                    "cloudwatch",
                    "DescribeAlarms",
                    region=found[1],
                    role=self._services.settings.member_role(found[2]),
                    AlarmNames=[name],
                    AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                )
            else:
                alarms = await self._services.cloud.call(
                    "cloudwatch",
                    "DescribeAlarms",
                    region=self._toolchain.region,
                    role=self._services.settings.toolchain_role_arn,
                    AlarmNames=[name],
                    AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                )
        except CloudError as error:
            log.warning("releases.alarm_unread", alarm=name, error=error.detail)
            return "waits", f"the alarm {name} can't be read just now ({error.code})"
        listed = [*alarms.get("MetricAlarms", ()), *alarms.get("CompositeAlarms", ())]
        if not listed:
            return "fails", f"there is no alarm {name}"
        state = str(listed[0]["StateValue"])
        if state == "ALARM":
            return "fails", f"the alarm {name} fires"
        return ("ok", "") if state == "OK" else ("waits", f"the alarm {name} has too little data to tell")

    async def _insights(self, rollout: Rollout) -> tuple[Result, str]:
        provider = self._services.insights
        if provider is None:
            return "waits", "nothing watches the accounts for insights; say “continue the rollout” to go on without"
        targets = await self._rollouts.targets(rollout.request_id, states=("succeeded", "failed"))
        places = {(t.account, t.region) for t in targets}
        try:
            found = await provider.ongoing(sorted({region for _, region in places}))
        except CloudError as error:
            return "waits", f"open insights can't be read just now ({error.code})"
        new = [
            i
            for i in found.insights
            if i.severity == "HIGH" and (i.account, i.region) in places and i.start >= rollout.started_at
        ]
        if new:
            return "fails", f"an insight of high severity was opened: {new[0].name}"
        if found.missing or found.pending:
            return "waits", "open insights can't be read everywhere just now"
        return "ok", ""

    async def _http(self, url: str) -> tuple[Result, str]:
        """Ask a host of the allow list; no redirect is followed, and nothing of the answer but its status told."""
        host = urlsplit(url).netloc.casefold()
        if host not in self._services.settings.release_check_hosts:
            return "fails", f"{host} may not be asked (RELEASE_CHECK_HOSTS)"
        try:
            async with (
                asyncio.timeout(HTTP_SECONDS),
                httpx.AsyncClient(timeout=HTTP_SECONDS, follow_redirects=False, trust_env=False) as client,
                client.stream("GET", url) as answer,
            ):
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            return "fails", f"{host} did not answer ({type(error).__name__})"
        return ("ok", "") if 200 <= status < 300 else ("fails", f"{host} answered {status}")
