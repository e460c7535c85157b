"""AWS Control Tower: the landing zone and which OUs it governs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sandbox import governance
from sandbox.errors import AwsError
from sandbox.governance import BASELINES, Enabled
from sandbox.landing_zone import (
    HOME_REGION,
    LANDING_ZONE_ARN,
    LANDING_ZONE_VERSION,
    MANAGEMENT_ACCOUNT,
)
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.stacks import governed_regions
from sandbox.world import World

operation = serve(Service("controltower", signing_name="controltower", throttled_status=429, denied_status=403))

_CONTROL_DRIFTS = ("driftStatuses", "inheritanceDriftStatuses", "resourceDriftStatuses")


@operation("ListLandingZones")
def list_landing_zones(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The landing zone of the organization, told in its home Region only."""
    zones = [{"arn": LANDING_ZONE_ARN}] if _is_home(context) else []
    return _listed(context, parameters, "landingZones", zones)


@operation("GetLandingZone")
def get_landing_zone(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The landing zone, active and in sync."""
    if not _is_home(context) or parameters["landingZoneIdentifier"] not in (
        LANDING_ZONE_ARN,
        LANDING_ZONE_ARN.rpartition("/")[2],
    ):
        raise AwsError("ResourceNotFoundException", "The landing zone does not exist.")
    return {
        "landingZone": {
            "arn": LANDING_ZONE_ARN,
            "version": LANDING_ZONE_VERSION,
            "latestAvailableVersion": LANDING_ZONE_VERSION,
            "status": "ACTIVE",
            "driftStatus": {"status": "IN_SYNC"},
            "manifest": {
                "governedRegions": list(governed_regions(context.world.zone)),
                "organizationStructure": {"security": {"name": "Security"}},
                "accessManagement": {"enabled": True},
            },
        }
    }


@operation("ListBaselines")
def list_baselines(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The baselines that can be enabled."""
    entries = [{"arn": arn, "name": name, "description": description} for name, (arn, description) in BASELINES.items()]
    return _listed(context, parameters, "baselines", entries)


@operation("ListEnabledBaselines")
def list_enabled_baselines(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One AWSControlTowerBaseline for each registered OU and, with includeChildren, for each account below."""
    wanted = parameters.get("filter", {})
    entries = [
        _describe_baseline(enabled)
        for enabled in _enabled(context, parameters, governance.list_enabled_baselines)
        if _passes(wanted, "targetIdentifiers", enabled.target)
        and _passes(wanted, "baselineIdentifiers", enabled.what)
        and _passes(wanted, "parentIdentifiers", enabled.parent)
        and _passes(wanted, "statuses", enabled.status)
        and _passes(wanted, "inheritanceDriftStatuses", _drift_of(enabled))
        and _passes(wanted, "sourceDriftStatuses", "IN_SYNC")
    ]
    return _listed(context, parameters, "enabledBaselines", entries)


@operation("GetEnabledBaseline")
def get_enabled_baseline(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One enabled baseline, of an OU or an account."""
    for enabled in governance.list_enabled_baselines(context.world) if _is_home(context) else ():
        if enabled.arn == parameters["enabledBaselineIdentifier"]:
            return {"enabledBaselineDetails": {**_describe_baseline(enabled), "parameters": []}}
    raise AwsError("ResourceNotFoundException", "The enabled baseline does not exist.")


@operation("ListEnabledControls")
def list_enabled_controls(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The controls of an OU (or of all) and, with includeChildren, those that its accounts inherit."""
    entries = list(_enabled(context, parameters, governance.list_enabled_controls))
    target = parameters.get("targetIdentifier")
    if target is not None:
        below = {enabled.arn for enabled in entries if enabled.target == target}
        if not below:
            raise AwsError("ResourceNotFoundException", f"{target} is not registered with AWS Control Tower.")
        entries = [enabled for enabled in entries if enabled.arn in below or enabled.parent in below]
    wanted = parameters.get("filter", {})
    described = [
        _describe_control(enabled)
        for enabled in entries
        if _passes(wanted, "controlIdentifiers", enabled.what)
        and _passes(wanted, "parentIdentifiers", enabled.parent)
        and _passes(wanted, "statuses", enabled.status)
        and all(_passes(wanted, name, "IN_SYNC") for name in _CONTROL_DRIFTS)
    ]
    return _listed(context, parameters, "enabledControls", described)


def _is_home(context: Context) -> bool:
    return context.account == MANAGEMENT_ACCOUNT and context.region == HOME_REGION


def _enabled(
    context: Context, parameters: Parameters, list_all: Callable[[World], Iterator[Enabled]]
) -> Iterator[Enabled]:
    """What is enabled on OUs; on accounts, too, when children are asked for."""
    if not _is_home(context):
        return
    for enabled in list_all(context.world):
        if ":account/" not in enabled.target or parameters.get("includeChildren"):
            yield enabled


def _drift_of(enabled: Enabled) -> str:
    return "DRIFTED" if enabled.is_drifted else "IN_SYNC"


def _describe_baseline(enabled: Enabled) -> dict[str, Any]:
    return {
        **governance.describe_enabled(enabled, "baselineIdentifier"),
        "baselineVersion": governance.BASELINE_VERSION,
        "driftStatusSummary": {"types": {"inheritance": {"status": _drift_of(enabled)}}},
    }


def _describe_control(enabled: Enabled) -> dict[str, Any]:
    return {
        **governance.describe_enabled(enabled, "controlIdentifier"),
        "driftStatusSummary": {"driftStatus": "IN_SYNC"},
    }


def _passes(wanted: dict[str, list[str]], name: str, value: str | None) -> bool:
    return name not in wanted or value in wanted[name]


def _listed(context: Context, parameters: Parameters, member: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    page, following = page_of(context, parameters, entries, cursor="nextToken", size="maxResults")
    return {member: page, **({"nextToken": following} if following else {})}
