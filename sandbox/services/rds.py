"""RDS, as far as experiments need it: database instances and clusters."""

from __future__ import annotations

from typing import Any

from sandbox.chaos_actions import CLUSTER, DATABASE
from sandbox.chaos_targets import describe
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.services.ec2 import machines_of
from sandbox.world import without_nothing

operation = serve(
    Service(
        "rds",
        signing_name="rds",
        invalid="InvalidParameterValue",
        bad_page="InvalidParameterValue",
        throttled="Throttling",
        denied="AccessDenied",
        denied_status=403,
        failed="InternalFailure",
    )
)


@operation("DescribeDBInstances")
def describe_db_instances(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The account's database instances."""
    found = _found(context, parameters, DATABASE, "DBInstanceIdentifier", "DBInstanceNotFound")
    page, following = page_of(context, parameters, found, cursor="Marker", size="MaxRecords", default_size=100)
    return without_nothing({"DBInstances": page, "Marker": following})


@operation("DescribeDBClusters")
def describe_db_clusters(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The account's database clusters."""
    found = _found(context, parameters, CLUSTER, "DBClusterIdentifier", "DBClusterNotFoundFault")
    page, following = page_of(context, parameters, found, cursor="Marker", size="MaxRecords", default_size=100)
    return without_nothing({"DBClusters": page, "Marker": following})


def _found(context: Context, parameters: Parameters, kind: str, name: str, missing: str) -> list[dict[str, Any]]:
    described = [describe(machine) for machine in machines_of(context, kind)]
    wanted = parameters.get(name)
    found = [d for d in described if wanted in (None, d[name])]
    if wanted and not found:
        raise AwsError(missing, f"{wanted} not found.", status=404)
    return found
