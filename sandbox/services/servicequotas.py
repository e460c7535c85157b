"""Service Quotas: how many accounts the organization may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.errors import AwsError
from sandbox.landing_zone import HOME_REGION, MANAGEMENT_ACCOUNT
from sandbox.registry import Context, Parameters, Service, page_of, serve

operation = serve(
    Service(
        "service-quotas",
        signing_name="servicequotas",
        bad_page="InvalidPaginationTokenException",
        throttled="TooManyRequestsException",
        failed="ServiceException",
    )
)


@dataclass(frozen=True)
class _Quota:
    code: str
    name: str
    default: float
    description: str


_SERVICES = {
    "organizations": (
        "AWS Organizations",
        (
            _Quota(
                "L-E619E033",
                "Default maximum number of accounts",
                10.0,
                "The number of accounts that an organization can have.",
            ),
        ),
    )
}


@operation("GetServiceQuota")
def get_service_quota(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The value that applies to the caller's account."""
    quota = _find(parameters)
    return {"Quota": _describe(context, parameters["ServiceCode"], quota, _applied(context, quota))}


@operation("GetAWSDefaultServiceQuota")
def get_aws_default_service_quota(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The value that applies to whoever has not asked for more."""
    quota = _find(parameters)
    return {"Quota": _describe(context, parameters["ServiceCode"], quota, quota.default)}


@operation("ListServiceQuotas")
def list_service_quotas(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The applied values of a service's quotas."""
    _, quotas = _find_service(parameters)
    entries = [
        _describe(context, parameters["ServiceCode"], quota, _applied(context, quota))
        for quota in quotas
        if parameters.get("QuotaCode", quota.code) == quota.code
    ]
    page, following = page_of(context, parameters, entries, cursor="NextToken", size="MaxResults")
    return {"Quotas": page, **({"NextToken": following} if following else {})}


def _find_service(parameters: Parameters) -> tuple[str, tuple[_Quota, ...]]:
    found = _SERVICES.get(parameters["ServiceCode"])
    if found is None:
        raise AwsError("NoSuchResourceException", f"The service {parameters['ServiceCode']} doesn't exist.")
    return found


def _find(parameters: Parameters) -> _Quota:
    for quota in _find_service(parameters)[1]:
        if quota.code == parameters["QuotaCode"]:
            return quota
    raise AwsError("NoSuchResourceException", f"The quota {parameters['QuotaCode']} doesn't exist.")


def _applied(context: Context, quota: _Quota) -> float:
    return context.world.account_quota() if context.account == MANAGEMENT_ACCOUNT else quota.default


def _describe(context: Context, service_code: str, quota: _Quota, value: float) -> dict[str, Any]:
    return {
        "ServiceCode": service_code,
        "ServiceName": _SERVICES[service_code][0],
        "QuotaArn": f"arn:aws:servicequotas:{HOME_REGION}:{context.account}:{service_code}/{quota.code}",
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": value,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": True,
        "QuotaAppliedAtLevel": "ACCOUNT",
        "Description": quota.description,
    }
