"""IAM Identity Center: permission sets, and who gets them in which account."""

from __future__ import annotations

from typing import Any

from sandbox.access import (
    INSTANCE_ARN,
    PERMISSION_SETS,
    Assignment,
    AssignmentRequest,
    PermissionSet,
    is_under_change,
    request_assignment,
    settle_assignments,
)
from sandbox.clock import moment
from sandbox.errors import AwsError
from sandbox.identities import IDENTITY_STORE_ID
from sandbox.landing_zone import FOUNDED, HOME_REGION, MANAGEMENT_ACCOUNT
from sandbox.registry import Context, Parameters, Service, page_of, serve

operation = serve(Service("sso-admin", signing_name="sso"))


@operation("ListInstances")
def list_instances(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The organization's one instance, told to the management account in the home Region only."""
    instances = []
    if _is_home(context):
        instances.append(
            {
                "InstanceArn": INSTANCE_ARN,
                "IdentityStoreId": IDENTITY_STORE_ID,
                "OwnerAccountId": MANAGEMENT_ACCOUNT,
                "CreatedDate": moment(FOUNDED),
                "Status": "ACTIVE",
            }
        )
    return _listed(context, parameters, "Instances", instances)


@operation("ListPermissionSets")
def list_permission_sets(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The ARNs of all permission sets."""
    _require_instance(context, parameters)
    return _listed(context, parameters, "PermissionSets", list(PERMISSION_SETS))


@operation("DescribePermissionSet")
def describe_permission_set(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One permission set."""
    _require_instance(context, parameters)
    found = _require_permission_set(parameters)
    return {
        "PermissionSet": {
            "Name": found.name,
            "PermissionSetArn": found.arn,
            "Description": found.description,
            "CreatedDate": moment(FOUNDED),
            "SessionDuration": found.session_duration,
        }
    }


@operation("CreateAccountAssignment")
def create_account_assignment(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Begin to give a principal a permission set in an account; what it has already is no error."""
    wanted = _read_assignment(context, parameters)
    refusal = _find_refusal(context, wanted)
    return {
        "AccountAssignmentCreationStatus": _describe(request_assignment(context.world, "creation", wanted, refusal))
    }


@operation("DescribeAccountAssignmentCreationStatus")
def describe_account_assignment_creation_status(context: Context, parameters: Parameters) -> dict[str, Any]:
    """How far a creation has come."""
    request_id = parameters["AccountAssignmentCreationRequestId"]
    return {"AccountAssignmentCreationStatus": _find_request(context, parameters, "creation", request_id)}


@operation("DeleteAccountAssignment")
def delete_account_assignment(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Begin to take a permission set in an account from a principal."""
    wanted = _read_assignment(context, parameters)
    if wanted.key not in context.world.zone.assignments:
        raise AwsError("ResourceNotFoundException", f"{wanted.principal_id} has no such access to {wanted.account_id}.")
    return {"AccountAssignmentDeletionStatus": _describe(request_assignment(context.world, "deletion", wanted, None))}


@operation("DescribeAccountAssignmentDeletionStatus")
def describe_account_assignment_deletion_status(context: Context, parameters: Parameters) -> dict[str, Any]:
    """How far a deletion has come."""
    request_id = parameters["AccountAssignmentDeletionRequestId"]
    return {"AccountAssignmentDeletionStatus": _find_request(context, parameters, "deletion", request_id)}


@operation("ListAccountAssignments")
def list_account_assignments(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Who has a permission set in an account."""
    _require_instance(context, parameters)
    _require_permission_set(parameters)
    _require_account(context, parameters["AccountId"])
    settle_assignments(context.world)
    entries = [
        {
            "AccountId": assignment.account_id,
            "PermissionSetArn": assignment.permission_set_arn,
            "PrincipalType": assignment.principal_type,
            "PrincipalId": assignment.principal_id,
        }
        for assignment in context.world.zone.assignments.values()
        if assignment.account_id == parameters["AccountId"]
        and assignment.permission_set_arn == parameters["PermissionSetArn"]
    ]
    return _listed(context, parameters, "AccountAssignments", entries)


@operation("ListPermissionSetsProvisionedToAccount")
def list_permission_sets_provisioned_to_account(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The permission sets that somebody has in an account; the newest version of each is provisioned."""
    _require_instance(context, parameters)
    _require_account(context, parameters["AccountId"])
    settle_assignments(context.world)
    provisioned = dict.fromkeys(
        assignment.permission_set_arn
        for assignment in context.world.zone.assignments.values()
        if assignment.account_id == parameters["AccountId"]
    )
    if parameters.get("ProvisioningStatus") == "LATEST_PERMISSION_SET_NOT_PROVISIONED":
        provisioned = {}
    return _listed(context, parameters, "PermissionSets", list(provisioned))


def _is_home(context: Context) -> bool:
    return context.account == MANAGEMENT_ACCOUNT and context.region == HOME_REGION


def _require_instance(context: Context, parameters: Parameters) -> None:
    if context.account != MANAGEMENT_ACCOUNT:
        raise AwsError("AccessDeniedException", f"{context.caller} may not manage {parameters['InstanceArn']}.")
    if context.region != HOME_REGION or parameters["InstanceArn"] != INSTANCE_ARN:
        raise AwsError("ResourceNotFoundException", f"There is no instance {parameters['InstanceArn']} here.")


def _require_permission_set(parameters: Parameters) -> PermissionSet:
    found = PERMISSION_SETS.get(parameters["PermissionSetArn"])
    if found is None:
        raise AwsError("ResourceNotFoundException", f"There is no permission set {parameters['PermissionSetArn']}.")
    return found


def _require_account(context: Context, identifier: str) -> None:
    if identifier not in context.world.zone.accounts:
        raise AwsError("ResourceNotFoundException", f"There is no account {identifier} in the organization.")


def _read_assignment(context: Context, parameters: Parameters) -> Assignment:
    _require_instance(context, parameters)
    found = _require_permission_set(parameters)
    settle_assignments(context.world)
    wanted = Assignment(parameters["TargetId"], found.arn, parameters["PrincipalType"], parameters["PrincipalId"])
    if is_under_change(context.world, wanted):
        raise AwsError("ConflictException", "This assignment is being changed already. Wait until that has ended.")
    return wanted


def _find_refusal(context: Context, wanted: Assignment) -> str | None:
    """Why a creation will fail: unlike the permission set, account and principal are looked up late."""
    zone = context.world.zone
    account = zone.accounts.get(wanted.account_id)
    if account is None or account.status != "ACTIVE":
        return f"Received a 404 status error: there is no active account {wanted.account_id} in the organization."
    known = zone.users if wanted.principal_type == "USER" else zone.groups
    if wanted.principal_id not in known:
        return f"Received a 404 status error: {wanted.principal_type} not found: {wanted.principal_id}"
    fault = context.world.faults.take("assignment_failed")
    return None if fault is None else str(fault["message"])


def _find_request(context: Context, parameters: Parameters, kind: str, identifier: str) -> dict[str, Any]:
    _require_instance(context, parameters)
    settle_assignments(context.world)
    request = context.world.zone.assignment_requests.get(identifier)
    if request is None or request.kind != kind:
        raise AwsError("ResourceNotFoundException", f"There is no {kind} request {identifier}.")
    return _describe(request)


def _describe(request: AssignmentRequest) -> dict[str, Any]:
    return {
        "Status": request.status,
        "RequestId": request.id,
        "TargetId": request.account_id,
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": request.permission_set_arn,
        "PrincipalType": request.principal_type,
        "PrincipalId": request.principal_id,
        "CreatedDate": moment(request.created_at),
        **({"FailureReason": request.refusal} if request.status == "FAILED" else {}),
    }


def _listed(context: Context, parameters: Parameters, member: str, entries: list[Any]) -> dict[str, Any]:
    page, following = page_of(context, parameters, entries, cursor="NextToken", size="MaxResults", default_size=100)
    return {member: page, **({"NextToken": following} if following else {})}
