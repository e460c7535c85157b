"""`doctor`: looks at the whole installation and prints what mends it. Runs beside a bot, and without one."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import pkgutil
from collections.abc import Sequence

import httpx

from bot import logs
from bot.cloud import Cloud
from bot.doctor import Check, Contributor, Finding, Patient, aws, databases, failed, files
from bot.doctor.examining import LIMIT, Result, examine
from bot.errors import QuartermasterError, SettingsError
from bot.settings import Settings, load_settings

COUNTED = (("failed", "failed"), ("warning", "to look at"), ("ok", "ok"))


def doctor(*, as_json: bool) -> int:
    """Print what every check found; exit status 0 only without failures."""
    logs.configure("error", plain=True)
    return asyncio.run(_doctor(as_json))


async def _doctor(as_json: bool) -> int:
    results = await consult(_overrides())
    print(_as_json(results) if as_json else _as_text(results), flush=True)
    status = int(any(result.finding.state == "failed" for result in results))
    if any(result.seconds >= LIMIT for result in results):
        os._exit(status)  # a thread hangs in a call that nobody will answer; it is not waited for
    return status


async def consult(overrides: dict[str, str]) -> list[Result]:
    """Return what every check finds, with these settings beside the environment's."""
    settings, finding = files.read_settings(**overrides)

    async def told() -> Finding:
        return finding

    return await examine([Check("settings", told), *_gather(settings)])


def _overrides() -> dict[str, str]:
    """Return the address of the sandbox that `run` has started on this machine, if the settings name no AWS."""
    try:
        load_settings()
    except SettingsError:
        port = os.environ.get("PORT") or "8000"
        address = f"http://127.0.0.1:{int(port) + 1}" if port.isascii() and port.isdigit() else ""
        if address and not os.environ.get("AWS_ENDPOINT_URL") and _is_sandbox(address):
            return {"aws_endpoint_url": address}
    return {}


def _is_sandbox(address: str) -> bool:
    try:
        answer = httpx.get(f"{address}/_sandbox/clock", timeout=2, trust_env=False)
        return answer.status_code == 200 and "speed" in answer.json()
    except (httpx.HTTPError, ValueError):
        return False


def _gather(settings: Settings) -> Sequence[Check]:
    """Return the core's checks and those that adapters contribute; one that can't be had is a failure of its own."""
    try:
        from bot.main import build_cloud

        cloud: Cloud = build_cloud(settings)
    except Exception as error:
        return [_broken("installation", error)]
    patient = Patient(settings, cloud)
    found = [*files.checks(patient), *databases.checks(patient), *aws.checks(patient)]
    adapters = importlib.import_module("adapters")
    for adapter in sorted(module.name for module in pkgutil.iter_modules(adapters.__path__)):
        name = f"adapters.{adapter}.doctor"
        try:
            contributor: Contributor = importlib.import_module(name)
            found += contributor.checks(patient)
        except Exception as error:
            if not (isinstance(error, ModuleNotFoundError) and error.name == name):
                found.append(_broken(adapter, error))
    return found


def _broken(name: str, error: Exception) -> Check:
    """Return a check that fails with what kept it from being made."""
    text = error.detail if isinstance(error, QuartermasterError) else f"{type(error).__name__}: {error}"

    async def look() -> Finding:
        return failed(text, "Install the pinned requirements.txt, then try again.")

    return Check(name, look)


def _as_json(results: Sequence[Result]) -> str:
    return json.dumps([result.as_dict() for result in results], indent=1, ensure_ascii=False)


def _as_text(results: Sequence[Result]) -> str:
    width = max(len(result.name) for result in results)
    lines = []
    for result in results:
        found = result.finding
        lines.append(f"{found.state:<8} {result.name:<{width}}  {' '.join(found.text.split())}")
        if found.fix:
            lines.append(f"{'':<8} {'':<{width}}  fix: {found.fix}")
    states = [result.finding.state for result in results]
    counts = [f"{states.count(state)} {word}" for state, word in COUNTED if state in states]
    return "\n".join([*lines, ", ".join(counts) + "."])
