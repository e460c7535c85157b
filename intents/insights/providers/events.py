"""What CloudTrail saw, sorted into the classes that DevOps Guru has: what was deployed, configured, or else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from bot.insights import Event

_DEPLOYS = re.compile(
    r"^(?:UpdateFunctionCode|PublishVersion|UpdateAlias|RegisterTaskDefinition|UpdateService$|CreateService$"
    r"|CreateDeployment|StartPipelineExecution|ExecuteChangeSet|UpdateStack$|CreateStack$|StartDeployment"
    r"|UpdateEnvironment|CreateRelease|StartExecution)"
)
_READS = re.compile(r"^(?:Describe|List|Get|Head|Lookup|Search|Batch(?:Get|Describe)|Query|Scan)")
_BUILDS = re.compile(r"^(?:Create|Delete|Run|Terminate|Attach|Detach|Replace|Start|Stop|Reboot)")


def events_of(entries: Sequence[Mapping[str, Any]]) -> dict[str, Event]:
    """Return the events that changed something, by their ids."""
    found = {}
    for entry in entries:
        name = str(entry.get("EventName", ""))
        if entry.get("ReadOnly") == "true" or _READS.match(name):
            continue
        found[entry.get("EventId") or f"{name}/{entry['EventTime']}"] = Event(
            at=entry["EventTime"].astimezone(UTC),
            name=name,
            source=str(entry.get("EventSource", "")).removesuffix(".amazonaws.com"),
            kind=kind_of_event(name),
            resources=tuple(r["ResourceName"] for r in entry.get("Resources", ()) if r.get("ResourceName")),
            by=str(entry.get("Username") or _who(entry)),
        )
    return found


def kind_of_event(name: str) -> str:
    """Return the class of an event by its name."""
    if _DEPLOYS.match(name):
        return "DEPLOYMENT"
    return "INFRASTRUCTURE" if _BUILDS.match(name) else "CONFIG_CHANGE"


def _who(entry: Mapping[str, Any]) -> str:
    try:
        identity = json.loads(entry.get("CloudTrailEvent") or "{}").get("userIdentity", {})
    except ValueError:
        return ""
    return str(identity.get("arn", "")).rpartition("/")[2]
