"""AWS Control Tower: the landing zone and which OUs it governs."""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.errors import AwsError
from sandbox.landing_zone import (
    HOME_REGION,
    LANDING_ZONE_ARN,
    LANDING_ZONE_VERSION,
    MANAGEMENT_ACCOUNT,
    unit_arn,
)
from sandbox.model import OrganizationalUnit
from sandbox.registry import Context, Parameters, Service, page_of, serve

operation = serve(Service("controltower", signing_name="controltower", throttled_status=429, denied_status=403))

_BASELINES = {
    "AuditBaseline": ("3RP6LQYZ2BR0MQSY", "Sets up the audit account."),
    "AWSControlTowerBaseline": ("17BSJV3IGJ2QSGA2", "Sets up resources and controls in an OU's accounts."),
    "BackupBaseline": ("3WPD0NA6TJ9AOMU2", "Sets up AWS Backup in an OU's accounts."),
    "IdentityCenterBaseline": ("LN25R72TTG6IGPTQ", "Sets up IAM Identity Center."),
    "LogArchiveBaseline": ("J8HX46AHS5MIKQPD", "Sets up the log archive account."),
}
_BASELINE_VERSION = "4.0"


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
                "governedRegions": [HOME_REGION, "eu-central-1"],
                "organizationStructure": {"security": {"name": "Security"}},
                "accessManagement": {"enabled": True},
            },
        }
    }


@operation("ListBaselines")
def list_baselines(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The baselines that can be enabled."""
    entries = [
        {"arn": _baseline_arn(name), "name": name, "description": description}
        for name, (_, description) in _BASELINES.items()
    ]
    return _listed(context, parameters, "baselines", entries)


@operation("ListEnabledBaselines")
def list_enabled_baselines(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One AWSControlTowerBaseline for each registered OU; no other OU is governed."""
    wanted = parameters.get("filter", {})
    entries = [
        entry
        for entry in map(_describe_enabled, _governed(context))
        if _passes(wanted, "targetIdentifiers", entry["targetIdentifier"])
        and _passes(wanted, "baselineIdentifiers", entry["baselineIdentifier"])
        and _passes(wanted, "statuses", entry["statusSummary"]["status"])
        and _passes(wanted, "inheritanceDriftStatuses", "IN_SYNC")
        and _passes(wanted, "sourceDriftStatuses", "IN_SYNC")
        and "parentIdentifiers" not in wanted
    ]
    return _listed(context, parameters, "enabledBaselines", entries)


@operation("GetEnabledBaseline")
def get_enabled_baseline(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One enabled baseline."""
    for unit in _governed(context):
        entry = _describe_enabled(unit)
        if entry["arn"] == parameters["enabledBaselineIdentifier"]:
            return {"enabledBaselineDetails": {**entry, "parameters": []}}
    raise AwsError("ResourceNotFoundException", "The enabled baseline does not exist.")


@operation("ListEnabledControls")
def list_enabled_controls(context: Context, parameters: Parameters) -> dict[str, Any]:
    """No optional control is enabled in the seed."""
    target = parameters.get("targetIdentifier")
    if target is not None and target not in [unit_arn(unit.id) for unit in _governed(context)]:
        raise AwsError("ResourceNotFoundException", f"{target} is not registered with AWS Control Tower.")
    return _listed(context, parameters, "enabledControls", [])


def _is_home(context: Context) -> bool:
    return context.account == MANAGEMENT_ACCOUNT and context.region == HOME_REGION


def _governed(context: Context) -> list[OrganizationalUnit]:
    if not _is_home(context):
        return []
    return [unit for unit in context.world.zone.units.values() if unit.registered]


def _baseline_arn(name: str) -> str:
    return f"arn:aws:controltower:{HOME_REGION}::baseline/{_BASELINES[name][0]}"


def _describe_enabled(unit: OrganizationalUnit) -> dict[str, Any]:
    stable = uuid.uuid5(uuid.NAMESPACE_URL, unit_arn(unit.id))
    identifier = "XA" + stable.hex[:15].upper()
    return {
        "arn": f"arn:aws:controltower:{HOME_REGION}:{MANAGEMENT_ACCOUNT}:enabledbaseline/{identifier}",
        "baselineIdentifier": _baseline_arn("AWSControlTowerBaseline"),
        "baselineVersion": _BASELINE_VERSION,
        "targetIdentifier": unit_arn(unit.id),
        "statusSummary": {"status": "SUCCEEDED", "lastOperationIdentifier": str(stable)},
    }


def _passes(wanted: dict[str, list[str]], name: str, value: str) -> bool:
    return name not in wanted or value in wanted[name]


def _listed(context: Context, parameters: Parameters, member: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    page, following = page_of(context, parameters, entries, cursor="nextToken", size="maxResults")
    return {member: page, **({"nextToken": following} if following else {})}
