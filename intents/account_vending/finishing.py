"""The finishing steps: what the plan agreed on, done one by one once Control Tower has made the account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot import tags
from bot.errors import CloudError, Conflict
from bot.services import Services
from bot.workflow.run import StillRunning
from intents.account_vending.baseline import Baseline
from intents.account_vending.facts import FactReader

ASKED = "access_asked"
"""Note on a request: Identity Center's request ids by step, kept so that a repeat asks how far the first is."""


@dataclass(frozen=True)
class Made:
    """The account that was made: `arn` is Organizations', `expires` the day (ISO 8601) or empty."""

    request: str
    account: str
    name: str
    arn: str
    ou: str
    expires: str = ""

    @property
    def management(self) -> str:
        """The id of the management account."""
        return self.arn.split(":")[4]

    @property
    def unit_arn(self) -> str:
        """The ARN of the account's OU."""
        head, _, tail = self.arn.partition(":account/")
        return f"{head}:ou/{tail.partition('/')[0]}/{self.ou}"


Work = Callable[[], Awaitable[Any]]
Notes = Callable[..., Awaitable[None]]


class Finishing:
    """Makes the steps of one agreement. Each is safe to repeat: it looks first, or AWS takes it twice alike."""

    def __init__(self, services: Services, facts: FactReader) -> None:
        self._services, self._facts = services, facts
        self._baseline = Baseline(services, facts)

    def steps(self, agreed: Mapping[str, Any], made: Made, note: Notes) -> dict[str, Work]:
        """Return the work by the steps' names, in order; what was not agreed is no step.

        Works raise CloudError, another QuartermasterError, or StillRunning. `note` keeps things on the request.
        """
        steps: dict[str, Work] = {}
        if agreed.get("tags"):
            steps["tag the account"] = partial(self._tag, agreed, made)
        for kind, contact in agreed.get("contacts", {}).items():
            steps[f"set the {kind} contact"] = partial(self._contact, kind, contact, made)
        if budget := agreed.get("budget"):
            steps["make the budget"] = partial(self._budget, budget, made)
        for entry in agreed.get("access", ()):
            name = f"let {entry['group']} in as {entry['permission_set']}"
            steps[name] = partial(self._access, name, entry, made, note)
        if agreed.get("baseline"):
            steps |= self._baseline.steps(made)
        return steps

    async def _tag(self, agreed: Mapping[str, Any], made: Made) -> None:
        values = {**agreed["tags"], tags.REQUEST: made.request}
        if made.expires:
            values[tags.EXPIRES] = made.expires
        listed = [{"Key": key, "Value": value} for key, value in values.items()]
        await self._facts.call("organizations", "TagResource", ResourceId=made.account, Tags=listed)

    async def _contact(self, kind: str, contact: Mapping[str, str], made: Made) -> None:
        await self._facts.call(
            "account",
            "PutAlternateContact",
            AccountId=made.account,
            AlternateContactType=kind.upper(),
            Name=contact["name"],
            Title=contact["title"],
            EmailAddress=contact["email"],
            PhoneNumber=contact["phone"],
        )

    async def _budget(self, budget: Mapping[str, Any], made: Made) -> None:
        name = f"quartermaster-{made.account}"
        listeners = [{"SubscriptionType": "EMAIL", "Address": address} for address in budget["notify"]]
        notices = [
            {
                "Notification": {
                    "NotificationType": "ACTUAL",
                    "ComparisonOperator": "GREATER_THAN",
                    "Threshold": percent,
                    "ThresholdType": "PERCENTAGE",
                },
                "Subscribers": listeners,
            }
            for percent in budget["alerts"]
        ]
        wanted = {
            "BudgetName": name,
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": budget["monthly_usd"], "Unit": "USD"},
            "CostFilters": {"LinkedAccount": [made.account]},
        }
        try:
            await self._facts.call(
                "budgets",
                "CreateBudget",
                AccountId=made.management,
                Budget=wanted,
                NotificationsWithSubscribers=notices,
            )
        except CloudError as error:
            if error.code != "DuplicateRecordException":
                raise
            await self._require_same(name, wanted, made)

    async def _require_same(self, name: str, wanted: Mapping[str, Any], made: Made) -> None:
        """Take a budget that is there for our own, made by a call whose answer was lost; raises Conflict if it is not.

        CreateBudget makes a budget with its notifications or not at all.
        """
        found = await self._facts.call("budgets", "DescribeBudget", AccountId=made.management, BudgetName=name)
        budget = found["Budget"]
        limit = budget.get("BudgetLimit", {})
        same_limit = float(limit.get("Amount", 0)) == float(wanted["BudgetLimit"]["Amount"])
        if not same_limit or budget.get("CostFilters") != wanted["CostFilters"]:
            raise Conflict(
                f"There is a budget {name} already, and it is another than was agreed.",
                next_step="Delete or mend it in AWS Budgets, then try this step again.",
            )

    async def _access(self, name: str, entry: Mapping[str, str], made: Made, note: Notes) -> None:
        """Assign a permission set to a group, which Identity Center does in the background."""
        asked = dict((await self._services.requests.find(made.request)).notes.get(ASKED, {}))
        if name not in asked:
            if await self._has_access(entry, made):
                return
            asked[name] = await self._ask_for(entry, made)
            await note(**{ASKED: asked})
        answer = await self._facts.call(
            "sso-admin",
            "DescribeAccountAssignmentCreationStatus",
            InstanceArn=entry["instance"],
            AccountAssignmentCreationRequestId=asked[name],
        )
        status = answer["AccountAssignmentCreationStatus"]
        if status["Status"] == "IN_PROGRESS":
            raise StillRunning(f"Identity Center is letting {entry['group']} in.")
        if status["Status"] == "FAILED":
            # The next try asks anew.
            await note(**{ASKED: {n: v for n, v in asked.items() if n != name}})
            reason = status.get("FailureReason", "Identity Center gives no reason.")
            raise CloudError("AssignmentFailed", reason, operation="CreateAccountAssignment", retryable=True)

    async def _has_access(self, entry: Mapping[str, str], made: Made) -> bool:
        """Tell whether the group has the permission set, as by a call whose answer was lost."""
        page: dict[str, Any] = {}
        while True:
            page = await self._facts.call(
                "sso-admin",
                "ListAccountAssignments",
                InstanceArn=entry["instance"],
                AccountId=made.account,
                PermissionSetArn=entry["permission_set_arn"],
                **({"NextToken": page["NextToken"]} if page else {}),
            )
            held = page.get("AccountAssignments", ())
            if any(a["PrincipalType"] == "GROUP" and a["PrincipalId"] == entry["group_id"] for a in held):
                return True
            if not page.get("NextToken"):
                return False

    async def _ask_for(self, entry: Mapping[str, str], made: Made) -> str:
        answer = await self._facts.call(
            "sso-admin",
            "CreateAccountAssignment",
            InstanceArn=entry["instance"],
            TargetId=made.account,
            TargetType="AWS_ACCOUNT",
            PermissionSetArn=entry["permission_set_arn"],
            PrincipalType="GROUP",
            PrincipalId=entry["group_id"],
        )
        return str(answer["AccountAssignmentCreationStatus"]["RequestId"])
