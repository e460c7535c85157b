"""IAM Identity Center: its directory, its permission sets, and assignments that take their time."""

from typing import Any

import pytest

from sandbox.access import INSTANCE_ARN, arn_of
from sandbox.identities import IDENTITY_STORE_ID
from tests.sandbox.landing import Aws
from tests.sandbox.members import client_in, refusal_of, vend

MEMBER = "555566667777"
NOWHERE = "9067c0ffee-00000000-0000-0000-0000-000000000000"


def by(path: str, value: Any) -> dict[str, Any]:
    unique = {"UniqueAttribute": {"AttributePath": path, "AttributeValue": value}}
    return {"IdentityStoreId": IDENTITY_STORE_ID, "AlternateIdentifier": unique}


def assignment(aws: Aws, **changes: str) -> dict[str, str]:
    group = aws.client("identitystore").get_group_id(**by("displayName", "developers"))["GroupId"]
    return {
        "InstanceArn": INSTANCE_ARN,
        "TargetId": MEMBER,
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": arn_of("CorpDeveloperAccess"),
        "PrincipalType": "GROUP",
        "PrincipalId": group,
        **changes,
    }


def assignees(aws: Aws, permission_set: str, account_id: str = MEMBER) -> list[str]:
    listed = aws.client("sso-admin").list_account_assignments(
        InstanceArn=INSTANCE_ARN, AccountId=account_id, PermissionSetArn=arn_of(permission_set)
    )
    return [entry["PrincipalId"] for entry in listed["AccountAssignments"]]


def test_pages_through_a_dozen_users_who_are_named_by_their_addresses(aws: Aws) -> None:
    store = aws.client("identitystore")
    pages = store.get_paginator("list_users").paginate(
        IdentityStoreId=IDENTITY_STORE_ID, PaginationConfig={"PageSize": 5}
    )
    users = [user for page in pages for user in page["Users"]]

    assert len(users) == len({user["UserId"] for user in users}) == 12
    assert all(user["UserName"] == user["Emails"][0]["Value"] for user in users)
    described = store.describe_user(IdentityStoreId=IDENTITY_STORE_ID, UserId=users[0]["UserId"])
    assert described["UserName"] == users[0]["UserName"]


@pytest.mark.parametrize("path", ["userName", "emails.value"])
def test_finds_a_user_by_name_or_address_whatever_the_case(aws: Aws, path: str) -> None:
    store = aws.client("identitystore")
    found = store.get_user_id(**by(path, "DEV1@corp.example"))

    described = store.describe_user(IdentityStoreId=IDENTITY_STORE_ID, UserId=found["UserId"])
    assert described["UserName"] == "dev1@corp.example"
    assert refusal_of(store.get_user_id, **by(path, "you@corp.example")) == "ResourceNotFoundException"


def test_filters_users_and_groups_by_their_names_only(aws: Aws) -> None:
    store = aws.client("identitystore")

    def list_with(operation: str, path: str, value: str) -> Any:
        filters = [{"AttributePath": path, "AttributeValue": value}]
        return getattr(store, operation)(IdentityStoreId=IDENTITY_STORE_ID, Filters=filters)

    assert [user["UserName"] for user in list_with("list_users", "UserName", "lead@corp.example")["Users"]] == [
        "lead@corp.example"
    ]
    assert list_with("list_users", "UserName", "you@corp.example")["Users"] == []
    assert [group["DisplayName"] for group in list_with("list_groups", "DisplayName", "finops")["Groups"]] == ["finops"]
    with pytest.raises(store.exceptions.ValidationException):
        list_with("list_users", "Title", "Boss")


def test_tells_who_is_in_which_group(aws: Aws) -> None:
    store = aws.client("identitystore")
    groups = {
        group["DisplayName"]: group["GroupId"]
        for group in store.list_groups(IdentityStoreId=IDENTITY_STORE_ID)["Groups"]
    }
    assert set(groups) == {"platform", "developers", "auditors", "finops"}
    lead = store.get_user_id(**by("userName", "lead@corp.example"))["UserId"]
    pages = store.get_paginator("list_group_memberships").paginate(
        IdentityStoreId=IDENTITY_STORE_ID, GroupId=groups["developers"], PaginationConfig={"PageSize": 2}
    )
    members = [entry["MemberId"]["UserId"] for page in pages for entry in page["GroupMemberships"]]
    assert len(members) == len(set(members)) == 5

    asked = {"IdentityStoreId": IDENTITY_STORE_ID, "MemberId": {"UserId": lead}}
    told = store.is_member_in_groups(**asked, GroupIds=[groups["developers"], groups["finops"]])["Results"]
    assert [entry["MembershipExists"] for entry in told] == [True, False]
    of_lead = store.list_group_memberships_for_member(**asked)["GroupMemberships"]
    assert [entry["GroupId"] for entry in of_lead] == [groups["developers"]]
    described = store.describe_group(IdentityStoreId=IDENTITY_STORE_ID, GroupId=groups["platform"])
    assert described["DisplayName"] == "platform"


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("describe_user", {"IdentityStoreId": IDENTITY_STORE_ID, "UserId": NOWHERE}, "ResourceNotFoundException"),
        ("describe_group", {"IdentityStoreId": IDENTITY_STORE_ID, "GroupId": NOWHERE}, "ResourceNotFoundException"),
        ("list_users", {"IdentityStoreId": "d-0000000000"}, "ResourceNotFoundException"),
        ("list_users", {"IdentityStoreId": "nonsense"}, "ValidationException"),
        ("list_users", {"IdentityStoreId": IDENTITY_STORE_ID, "NextToken": "AAAA"}, "ValidationException"),
        ("get_user_id", by("displayName", "Dev One"), "ValidationException"),
        ("get_user_id", by("userName", 7), "ValidationException"),
        ("get_group_id", by("userName", "platform"), "ValidationException"),
        ("get_group_id", by("displayName", "nobody"), "ResourceNotFoundException"),
        (
            "get_user_id",
            {
                "IdentityStoreId": IDENTITY_STORE_ID,
                "AlternateIdentifier": {"ExternalId": {"Issuer": "idp", "Id": "7"}},
            },
            "ResourceNotFoundException",
        ),
        ("create_user", {"IdentityStoreId": IDENTITY_STORE_ID, "UserName": "new@corp.example"}, "ValidationException"),
    ],
)
def test_the_directory_answers_errors_as_aws_does(
    aws: Aws, operation: str, parameters: dict[str, Any], code: str
) -> None:
    assert refusal_of(getattr(aws.client("identitystore"), operation), **parameters) == code


def test_makes_a_user_once(aws: Aws) -> None:
    store = aws.client("identitystore")
    person = {
        "IdentityStoreId": IDENTITY_STORE_ID,
        "UserName": "you@corp.example",
        "DisplayName": "You There",
        "Name": {"GivenName": "You", "FamilyName": "There"},
        "Emails": [{"Value": "you@corp.example", "Type": "work", "Primary": True}],
    }
    made = store.create_user(**person)

    assert store.get_user_id(**by("emails.value", "you@corp.example"))["UserId"] == made["UserId"]
    assert refusal_of(store.create_user, **{**person, "UserName": "YOU@corp.example"}) == "ConflictException"
    assert refusal_of(store.create_user, **{**person, "UserName": "other"}) == "ConflictException"
    inside = client_in(aws, MEMBER, "identitystore")
    assert refusal_of(inside.create_user, **{**person, "UserName": "third"}) == "AccessDeniedException"


def test_account_factory_makes_the_sso_user_and_gives_it_the_account(aws: Aws) -> None:
    store = aws.client("identitystore")
    account_id = vend(aws, SSOUserEmail="you@corp.example", SSOUserFirstName="You", SSOUserLastName="There")

    made = store.get_user_id(**by("userName", "you@corp.example"))["UserId"]
    assert store.describe_user(IdentityStoreId=IDENTITY_STORE_ID, UserId=made)["DisplayName"] == "You There"
    assert assignees(aws, "AWSAdministratorAccess", account_id) == [made]


def test_account_factory_takes_the_sso_user_that_is_there(aws: Aws) -> None:
    known = aws.client("identitystore").get_user_id(**by("userName", "dev1@corp.example"))["UserId"]
    account_id = vend(aws, SSOUserEmail="Dev1@corp.example")

    assert assignees(aws, "AWSAdministratorAccess", account_id) == [known]
    assert len(aws.client("identitystore").list_users(IdentityStoreId=IDENTITY_STORE_ID)["Users"]) == 12


def test_a_failed_order_makes_no_sso_user(aws: Aws) -> None:
    aws.post("faults", name="provisioning_failed", on=True)
    aws.order(values={"SSOUserEmail": "you@corp.example"})
    aws.advance(30)

    store = aws.client("identitystore")
    assert refusal_of(store.get_user_id, **by("userName", "you@corp.example")) == "ResourceNotFoundException"


def test_has_one_instance_with_the_permission_sets_of_aws_and_of_the_house(aws: Aws) -> None:
    sso = aws.client("sso-admin")
    (instance,) = sso.list_instances()["Instances"]
    assert (instance["InstanceArn"], instance["IdentityStoreId"]) == (INSTANCE_ARN, IDENTITY_STORE_ID)
    pages = sso.get_paginator("list_permission_sets").paginate(
        InstanceArn=INSTANCE_ARN, PaginationConfig={"PageSize": 2}
    )
    arns = [arn for page in pages for arn in page["PermissionSets"]]
    names = {
        sso.describe_permission_set(InstanceArn=INSTANCE_ARN, PermissionSetArn=arn)["PermissionSet"]["Name"]
        for arn in arns
    }

    assert names == {
        "AWSAdministratorAccess",
        "AWSPowerUserAccess",
        "AWSReadOnlyAccess",
        "CorpDeveloperAccess",
        "CorpBillingAccess",
    }
    assert aws.client("sso-admin", "eu-west-1").list_instances()["Instances"] == []
    assert client_in(aws, MEMBER, "sso-admin").list_instances()["Instances"] == []


def test_an_assignment_comes_and_goes_in_its_time(aws: Aws) -> None:
    sso, wanted = aws.client("sso-admin"), assignment(aws)
    begun = sso.create_account_assignment(**wanted)["AccountAssignmentCreationStatus"]
    asked = {"InstanceArn": INSTANCE_ARN, "AccountAssignmentCreationRequestId": begun["RequestId"]}
    assert begun["Status"] == "IN_PROGRESS"
    assert assignees(aws, "CorpDeveloperAccess") == []
    assert refusal_of(sso.create_account_assignment, **wanted) == "ConflictException"
    aws.advance(1)

    ended = sso.describe_account_assignment_creation_status(**asked)["AccountAssignmentCreationStatus"]
    assert ended["Status"] == "SUCCEEDED"
    assert assignees(aws, "CorpDeveloperAccess") == [wanted["PrincipalId"]]
    again = sso.create_account_assignment(**wanted)["AccountAssignmentCreationStatus"]
    assert again["RequestId"] != begun["RequestId"]
    aws.advance(1)
    assert assignees(aws, "CorpDeveloperAccess") == [wanted["PrincipalId"]]

    leaving = sso.delete_account_assignment(**wanted)["AccountAssignmentDeletionStatus"]
    assert assignees(aws, "CorpDeveloperAccess") == [wanted["PrincipalId"]]
    aws.advance(1)
    gone = sso.describe_account_assignment_deletion_status(
        InstanceArn=INSTANCE_ARN, AccountAssignmentDeletionRequestId=leaving["RequestId"]
    )["AccountAssignmentDeletionStatus"]
    assert gone["Status"] == "SUCCEEDED"
    assert assignees(aws, "CorpDeveloperAccess") == []
    assert refusal_of(sso.delete_account_assignment, **wanted) == "ResourceNotFoundException"


@pytest.mark.parametrize("changes", [{"PrincipalId": NOWHERE}, {"PrincipalType": "USER"}, {"TargetId": "999999999999"}])
def test_an_assignment_of_nobody_or_nowhere_fails_later(aws: Aws, changes: dict[str, str]) -> None:
    sso = aws.client("sso-admin")
    begun = sso.create_account_assignment(**assignment(aws, **changes))["AccountAssignmentCreationStatus"]
    assert begun["Status"] == "IN_PROGRESS"
    assert "FailureReason" not in begun
    aws.advance(1)

    ended = sso.describe_account_assignment_creation_status(
        InstanceArn=INSTANCE_ARN, AccountAssignmentCreationRequestId=begun["RequestId"]
    )["AccountAssignmentCreationStatus"]
    assert ended["Status"] == "FAILED"
    assert next(iter(changes.values())) in ended["FailureReason"]


def test_an_assignment_fails_once_by_fault_and_succeeds_when_retried(aws: Aws) -> None:
    aws.post("faults", name="assignment_failed", on=True, times=1, message="Not today.")
    sso, statuses = aws.client("sso-admin"), []
    for _ in range(2):
        begun = sso.create_account_assignment(**assignment(aws))["AccountAssignmentCreationStatus"]
        aws.advance(1)
        ended = sso.describe_account_assignment_creation_status(
            InstanceArn=INSTANCE_ARN, AccountAssignmentCreationRequestId=begun["RequestId"]
        )["AccountAssignmentCreationStatus"]
        statuses.append((ended["Status"], ended.get("FailureReason")))

    assert statuses == [("FAILED", "Not today."), ("SUCCEEDED", None)]


def test_lists_the_permission_sets_that_an_account_has(aws: Aws) -> None:
    sso = aws.client("sso-admin")
    pages = sso.get_paginator("list_permission_sets_provisioned_to_account").paginate(
        InstanceArn=INSTANCE_ARN, AccountId=MEMBER, PaginationConfig={"PageSize": 1}
    )
    arns = [arn for page in pages for arn in page["PermissionSets"]]

    assert arns == [arn_of("AWSAdministratorAccess"), arn_of("AWSReadOnlyAccess")]
    outdated = sso.list_permission_sets_provisioned_to_account(
        InstanceArn=INSTANCE_ARN, AccountId=MEMBER, ProvisioningStatus="LATEST_PERMISSION_SET_NOT_PROVISIONED"
    )
    assert outdated["PermissionSets"] == []


@pytest.mark.parametrize(
    ("operation", "changes", "code"),
    [
        (
            "create_account_assignment",
            {"InstanceArn": "arn:aws:sso:::instance/ssoins-0000000000000000"},
            "ResourceNotFoundException",
        ),
        (
            "create_account_assignment",
            {"PermissionSetArn": "arn:aws:sso:::permissionSet/ssoins-7223c0ffee5a4d10/ps-0000000000000000"},
            "ResourceNotFoundException",
        ),
        ("create_account_assignment", {"TargetId": "the-account!"}, "ValidationException"),
        ("create_account_assignment", {"PrincipalId": "dev1"}, "ValidationException"),
        ("delete_account_assignment", {}, "ResourceNotFoundException"),
    ],
)
def test_assignments_are_refused_at_once_for_what_is_known_at_once(
    aws: Aws, operation: str, changes: dict[str, str], code: str
) -> None:
    assert refusal_of(getattr(aws.client("sso-admin"), operation), **assignment(aws, **changes)) == code


def test_a_request_is_found_by_its_own_kind_and_from_the_management_account_only(aws: Aws) -> None:
    sso = aws.client("sso-admin")
    request_id = sso.create_account_assignment(**assignment(aws))["AccountAssignmentCreationStatus"]["RequestId"]
    asked = {"InstanceArn": INSTANCE_ARN, "AccountAssignmentDeletionRequestId": request_id}

    assert refusal_of(sso.describe_account_assignment_deletion_status, **asked) == "ResourceNotFoundException"
    inside = client_in(aws, MEMBER, "sso-admin")
    assert refusal_of(inside.create_account_assignment, **assignment(aws)) == "AccessDeniedException"
