"""Settings, the files they name, and the folder where state lives."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.directory import Directory
from bot.doctor.model import Check, Finding, Patient, failed, ok, warning
from bot.errors import SettingsError
from bot.house import house_of
from bot.policy import Policy
from bot.settings import Settings, load_settings

LITTLE, TOO_LITTLE = 2 * 1024**3, 200 * 1024**2
"""Bytes of free disk below which it is told, and below which the database may stop at any moment."""


def read_settings(**overrides: Any) -> tuple[Settings, Finding]:
    """Return the settings as far as they can be read, and what is wrong; a wrong value is left at its default."""
    try:
        settings = load_settings(**overrides)
        return settings, ok(f"{len(settings.model_fields_set)} set, the others have their defaults")
    except SettingsError as error:
        fault = error
    settings, wrong = _read_what_can_be(overrides)
    if not settings.is_sandbox and "approvers" not in settings.model_fields_set:
        object.__setattr__(settings, "approvers", ())  # as on real AWS: the default is the sandbox's
    text = "; ".join(wrong) if wrong else fault.detail
    fix = fault.next_step or "Set it as the README's table of settings says."
    return settings, failed(text.rstrip("."), fix)


def _read_what_can_be(given: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """Return the settings without the values that are wrong, and what is wrong with those."""
    try:
        return Settings(**given), []
    except ValidationError as error:
        wrong = {str(entry["loc"][0]).lower(): f"{entry['msg']} (it is {entry['input']!r})" for entry in error.errors()}
    defaults = {name: Settings.model_fields[name].get_default(call_default_factory=True) for name in wrong}
    return Settings(**{**given, **defaults}), [f"{name.upper()}: {what}" for name, what in wrong.items()]


def checks(patient: Patient) -> Sequence[Check]:
    """Return the checks of files and folder."""
    settings = patient.settings

    async def house() -> Finding:
        if not settings.house_file.exists():
            return warning(f"there is no {settings.house_file}; built-in rules apply", "Set HOUSE_FILE, or make it.")
        house = house_of(settings)
        return ok(f"{settings.house_file} names {len(house.account_types)} account types")

    async def directory() -> Finding:
        if not settings.directory_file.exists():
            return warning(
                f"there is no {settings.directory_file}; nobody is in a group", "Set DIRECTORY_FILE, or make it."
            )
        found = Directory(settings.directory_file, settings.approvers)
        return ok(f"{settings.directory_file} lists {len(found.everybody())} people")

    async def policies() -> Finding:
        policy = Policy(settings.policy_dir, Directory(settings.directory_file, settings.approvers))
        return ok(f"{settings.policy_dir} can be read, version {policy.version}")

    async def approvers() -> Finding:
        found = Directory(settings.directory_file, settings.approvers)
        if settings.approvers or found.names_approvers:
            return ok("somebody is asked to approve: " + (", ".join(settings.approvers) or "those of the directory"))
        return failed("nobody would be asked to approve", "Set APPROVERS, or approvals: in the directory file.")

    async def folder() -> Finding:
        return _look_at_folder(settings.var_dir)

    return (
        Check("house rules", house),
        Check("directory", directory),
        Check("policies", policies),
        Check("approvers", approvers),
        Check("folder for state", folder),
    )


def _look_at_folder(folder: Path) -> Finding:
    there = folder.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return failed(
            f"{folder} can't be written: {there} is " + ("read-only to this user" if there.is_dir() else "no folder"),
            f"Give user {os.getuid()} the folder, or set VAR_DIR to another one.",
        )
    free = shutil.disk_usage(there).free
    shown = f"{free / 1024**3:.1f} GiB free"
    if free < TOO_LITTLE:
        return failed(f"{folder}: only {shown}", "Make room on that disk, or set VAR_DIR to another one.")
    if free < LITTLE:
        return warning(f"{folder}: only {shown}", "Make room on that disk soon.")
    return ok(f"{folder} can be written, {shown}" + ("" if folder.exists() else "; it is made at the first start"))
