"""An organization that answers the calls plans make: two OUs called Prod, one excluded, one not registered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

ROOT = "r-c0rp"
UNITS = {
    "ou-c0rp-5ecur1ty": ("Security", ROOT),
    "ou-c0rp-exper1mt": ("Experiment", ROOT),
    "ou-c0rp-dem0dem0": ("Demos", ROOT),
    "ou-c0rp-sandb0x1": ("Sandbox", ROOT),
    "ou-c0rp-w0rkload": ("Workloads", ROOT),
    "ou-c0rp-w1prod00": ("Prod", "ou-c0rp-w0rkload"),
    "ou-c0rp-w1test00": ("Test", "ou-c0rp-w0rkload"),
    "ou-c0rp-platf0rm": ("Platform", ROOT),
    "ou-c0rp-p1prod00": ("Prod", "ou-c0rp-platf0rm"),
    "ou-c0rp-p1test00": ("Test", "ou-c0rp-platf0rm"),
    "ou-c0rp-1egacy00": ("Legacy", ROOT),
}
UNREGISTERED = frozenset({"ou-c0rp-1egacy00"})
ACCOUNTS = {"111122223333": ("Management", "aws@corp.example"), "444466667777": ("Demo Booth", "booth@corp.example")}
PRODUCT = "AWS Control Tower Account Factory"


class Organization:
    """Answers as AWS does, from the tables above; a call that no plan makes is a KeyError."""

    async def call(
        self, service: str, operation: str, /, *, region: str = "", role: str = "", **parameters: Any
    ) -> dict[str, Any]:
        """One answer."""
        answers: dict[str, dict[str, Any]] = {
            "SearchProducts": {"ProductViewSummaries": [{"ProductId": "prod-1", "Name": PRODUCT}]},
            "DescribeProduct": {"ProvisioningArtifacts": [{"Id": "pa-1", "Name": "4.0", "Guidance": "DEFAULT"}]},
            "ListLaunchPaths": {"LaunchPathSummaries": [{"Id": "lpv3-1", "Name": "main"}]},
            "GetServiceQuota": {"Quota": {"Value": 60.0}},
            "SearchProvisionedProducts": {"ProvisionedProducts": []},
            "ListInstances": {"Instances": []},
            "DescribeOrganization": {"Organization": {"MasterAccountId": "111122223333"}},
            "ListLandingZones": {"landingZones": []},
            "ListParents": {"Parents": [{"Id": "ou-c0rp-dem0dem0"}]},
            "GetCostAndUsage": {"ResultsByTime": []},
            "DescribeOrganizationHealth": {"MetricsAnalyzed": 1},
            "DescribeOrganizationResourceCollectionHealth": {},
            "ListDelegatedAdministrators": {"DelegatedAdministrators": []},
            "ListOrganizationInsights": {},
        }
        return answers[operation]

    async def pages(
        self, service: str, operation: str, result: str, /, *, region: str = "", role: str = "", **parameters: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """The entries of a listing."""
        for entry in _listing(operation, parameters):
            yield entry


def _listing(operation: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    match operation:
        case "ListRoots":
            return [{"Id": ROOT}]
        case "ListOrganizationalUnitsForParent":
            below = parameters["ParentId"]
            return [
                {"Id": unit, "Name": name, "Arn": f"arn:{unit}"}
                for unit, (name, parent) in UNITS.items()
                if parent == below
            ]
        case "ListAccounts":
            return [
                {"Id": account, "Name": name, "Email": email, "Status": "ACTIVE"}
                for account, (name, email) in ACCOUNTS.items()
            ]
        case "ListEnabledBaselines":
            return [{"targetIdentifier": f"arn:{unit}"} for unit in UNITS if unit not in UNREGISTERED]
        case "SearchProvisionedProducts" | "GetResources" | "ListTagsForResource" | "ListStacks":
            return []
    raise KeyError(operation)
