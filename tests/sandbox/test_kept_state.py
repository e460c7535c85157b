"""What was set up is still there when the sandbox is started again on the same file."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from sandbox.access import INSTANCE_ARN, arn_of
from sandbox.identities import IDENTITY_STORE_ID
from sandbox.landing_zone import MANAGEMENT_ACCOUNT
from sandbox.server import Sandbox
from tests.sandbox.landing import Aws

MEMBER = "555566667777"
CONTACT = {
    "AlternateContactType": "BILLING",
    "Name": "Billing Desk",
    "Title": "Desk",
    "EmailAddress": "finops1@corp.example",
    "PhoneNumber": "+1 555 0102",
}
LIMIT = {"Amount": "25", "Unit": "USD"}


def look(aws: Aws, request_id: str) -> dict[str, Any]:
    """What is there of contacts, budgets, people and assignments."""
    status = aws.client("sso-admin").describe_account_assignment_creation_status(
        InstanceArn=INSTANCE_ARN, AccountAssignmentCreationRequestId=request_id
    )
    listed = aws.client("sso-admin").list_account_assignments(
        InstanceArn=INSTANCE_ARN, AccountId=MEMBER, PermissionSetArn=arn_of("CorpBillingAccess")
    )
    named = {"AccountId": MANAGEMENT_ACCOUNT, "BudgetName": "small"}
    budget = aws.client("budgets").describe_budget(**named)["Budget"]
    warnings = aws.client("budgets").describe_notifications_for_budget(**named)["Notifications"]
    return {
        "contact": aws.client("account").get_alternate_contact(AccountId=MEMBER, AlternateContactType="BILLING")[
            "AlternateContact"
        ],
        "budget": (budget["BudgetLimit"], budget["TimePeriod"], budget["LastUpdatedTime"]),
        "thresholds": [entry["Threshold"] for entry in warnings],
        "users": aws.client("identitystore").list_users(IdentityStoreId=IDENTITY_STORE_ID)["Users"],
        "assignment": status["AccountAssignmentCreationStatus"]["Status"],
        "assignees": [entry["PrincipalId"] for entry in listed["AccountAssignments"]],
    }


def test_a_restart_forgets_none_of_it(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    with Sandbox(state=state, speed=0) as sandbox:
        aws = Aws(sandbox.url)
        user = aws.client("identitystore").create_user(
            IdentityStoreId=IDENTITY_STORE_ID,
            UserName="you@corp.example",
            DisplayName="You There",
            Name={"GivenName": "You", "FamilyName": "There"},
        )["UserId"]
        aws.client("account").put_alternate_contact(AccountId=MEMBER, **CONTACT)
        aws.client("budgets").create_budget(
            AccountId=MANAGEMENT_ACCOUNT,
            Budget={"BudgetName": "small", "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": LIMIT},
            NotificationsWithSubscribers=[
                {
                    "Notification": {
                        "NotificationType": "ACTUAL",
                        "ComparisonOperator": "GREATER_THAN",
                        "Threshold": 80,
                    },
                    "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "finops1@corp.example"}],
                }
            ],
        )
        request = aws.client("sso-admin").create_account_assignment(
            InstanceArn=INSTANCE_ARN,
            TargetId=MEMBER,
            TargetType="AWS_ACCOUNT",
            PermissionSetArn=arn_of("CorpBillingAccess"),
            PrincipalType="USER",
            PrincipalId=user,
        )["AccountAssignmentCreationStatus"]["RequestId"]
        before = look(aws, request)
        aws.close()
    with Sandbox(state=state, speed=0) as sandbox:
        aws = Aws(sandbox.url)
        after = look(aws, request)
        aws.advance(1)
        later = look(aws, request)
        aws.close()

    assert after == before
    assert (after["assignment"], after["assignees"]) == ("IN_PROGRESS", [])
    assert (later["assignment"], later["assignees"]) == ("SUCCEEDED", [user])


def test_a_state_from_before_the_directory_gets_one(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    with Sandbox(state=state, speed=0) as sandbox:
        assert sandbox.url
    connection = sqlite3.connect(state)
    ((body,),) = connection.execute("SELECT body FROM documents WHERE name = 'landing_zone'").fetchall()
    zone = json.loads(body)
    for part in ("users", "groups", "assignments", "assignment_requests", "budgets", "contacts", "failed_baselines"):
        del zone[part]
    connection.execute("UPDATE documents SET body = ? WHERE name = 'landing_zone'", (json.dumps(zone),))
    connection.commit()
    connection.close()

    with Sandbox(state=state, speed=0) as sandbox:
        aws = Aws(sandbox.url)
        users = aws.client("identitystore").list_users(IdentityStoreId=IDENTITY_STORE_ID)["Users"]
        aws.close()
    assert len(users) == 12
