"""The platform team's products: what may be ordered, with which parameters, and what comes of it."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.landing_zone import ACCOUNT_FACTORY_NAME, ACCOUNT_FACTORY_PRODUCT, MANAGEMENT_ACCOUNT, unit_id
from sandbox.products import (
    BASTION_PRODUCT,
    BUCKET_PRODUCT,
    DATABASE_PRODUCT,
    NETWORK_PRODUCT,
    PRODUCTS_BY_ID,
    RETIRED_PRODUCT,
)
from tests.sandbox.landing import Aws
from tests.sandbox.members import client_in
from tests.sandbox.roles import assume, tags

BUCKET = {"BucketName": "corp-reports", "DataClass": "internal"}
DATABASE = {"DatabaseName": "orders", "MasterPassword": "correct-horse-battery"}
WEBSHOP, NETWORK_LAB = "666677778888", "777799990000"


def order(aws: Aws, name: str, product: str, values: dict[str, str], catalog: Any = None, **changes: Any) -> Any:
    """Order a product in its newest version; the record's detail."""
    return (catalog or aws.client("servicecatalog")).provision_product(
        **{
            "ProductId": product,
            "ProvisioningArtifactId": PRODUCTS_BY_ID[product].artifacts[-1].id,
            "ProvisionedProductName": name,
            "ProvisionToken": f"token-{name}",
            "ProvisioningParameters": tags(**values),
            **changes,
        }
    )["RecordDetail"]


def ordered(aws: Aws, name: str, product: str, values: dict[str, str], **changes: Any) -> dict[str, str]:
    """Order a product and wait; its outputs."""
    record = order(aws, name, product, values, **changes)
    aws.advance(5)
    assert aws.record(record["RecordId"])["Status"] == "SUCCEEDED"
    return outputs(aws, name)


def outputs(aws: Aws, name: str) -> dict[str, str]:
    listed = aws.client("servicecatalog").get_provisioned_product_outputs(ProvisionedProductName=name)["Outputs"]
    return {entry["OutputKey"]: entry["OutputValue"] for entry in listed}


def refusal(call: Any, *arguments: Any, **parameters: Any) -> dict[str, str]:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **parameters)
    return dict(caught.value.response["Error"])


def stack_of(aws: Aws, name: str, account: str = "", region: str = "us-east-1") -> dict[str, Any]:
    """The one stack of a provisioned product, as its account's CloudFormation describes it."""
    arn = outputs(aws, name)["CloudformationStackARN"]
    service = client_in(aws, account, "cloudformation", region) if account else aws.client("cloudformation", region)
    return dict(service.describe_stacks(StackName=arn)["Stacks"][0])


def test_shows_only_what_the_caller_may_launch_page_by_page(aws: Aws) -> None:
    catalog = aws.client("servicecatalog")
    pages = [catalog.search_products(PageSize=2, SortBy="Title")]
    while "NextPageToken" in pages[-1]:
        pages.append(catalog.search_products(PageSize=2, SortBy="Title", PageToken=pages[-1]["NextPageToken"]))
    names = [product["Name"] for page in pages for product in page["ProductViewSummaries"]]

    assert names == [
        ACCOUNT_FACTORY_NAME,
        "Encrypted S3 bucket",
        "PostgreSQL database",
        "VPC with private subnets",
        "Windows server",
    ]
    assert [len(page["ProductViewSummaries"]) for page in pages] == [2, 2, 1]
    everything = catalog.search_products_as_admin()["ProductViewDetails"]
    assert "Bastion host" in [entry["ProductViewSummary"]["Name"] for entry in everything]
    assert len(catalog.list_portfolios()["PortfolioDetails"]) == 2


def test_what_the_role_may_not_launch_is_not_found(aws: Aws) -> None:
    catalog = aws.client("servicecatalog")
    artifact = {"ProductId": BASTION_PRODUCT, "ProvisioningArtifactId": "pa-bastionhost01"}
    for call, parameters in (
        (catalog.describe_product, {"Id": BASTION_PRODUCT}),
        (catalog.list_launch_paths, {"ProductId": BASTION_PRODUCT}),
        (catalog.describe_provisioning_parameters, artifact),
        (catalog.provision_product, {**artifact, "ProvisionedProductName": "door"}),
    ):
        assert refusal(call, **parameters)["Code"] == "ResourceNotFoundException"

    keys = assume(aws, f"arn:aws:iam::{MANAGEMENT_ACCOUNT}:role/NetworkAdministrator")
    able = aws.client("servicecatalog", **keys)
    assert able.list_launch_paths(ProductId=BASTION_PRODUCT)["LaunchPathSummaries"]
    assert order(aws, "door", BASTION_PRODUCT, {"VpcId": "vpc-0123456789abcdef0"}, able)["Status"] == "CREATED"


def test_a_product_without_an_active_version_is_shown_and_can_not_be_ordered(aws: Aws) -> None:
    catalog = aws.client("servicecatalog")
    assert catalog.describe_product(Id=RETIRED_PRODUCT)["ProvisioningArtifacts"] == []
    listed = catalog.list_provisioning_artifacts(ProductId=RETIRED_PRODUCT)["ProvisioningArtifactDetails"]
    assert [entry["Active"] for entry in listed] == [False, False]

    error = refusal(order, aws, "old", RETIRED_PRODUCT, {"InstanceType": "m5.large"})
    assert (error["Code"], "not active" in error["Message"]) == ("InvalidParametersException", True)


def test_tells_parameters_with_their_constraints(aws: Aws) -> None:
    described = aws.client("servicecatalog").describe_provisioning_parameters(
        ProductId=DATABASE_PRODUCT, ProvisioningArtifactName="17.1"
    )
    parameters = {entry["ParameterKey"]: entry for entry in described["ProvisioningArtifactParameters"]}

    assert list(parameters) == ["DatabaseName", "InstanceClass", "AllocatedStorage", "MultiAz", "MasterPassword"]
    assert parameters["DatabaseName"]["ParameterConstraints"] == {
        "MinLength": "1",
        "MaxLength": "63",
        "AllowedPattern": "[a-z][a-z0-9_]*",
        "ConstraintDescription": "must begin with a letter and contain only lower-case letters, digits and underscores",
    }
    assert "DefaultValue" not in parameters["DatabaseName"]
    storage = parameters["AllocatedStorage"]
    assert (storage["ParameterType"], storage["DefaultValue"]) == ("Number", "20")
    assert storage["ParameterConstraints"] == {"MinValue": "20", "MaxValue": "1000"}
    assert parameters["MultiAz"]["ParameterConstraints"] == {"AllowedValues": ["true", "false"]}
    assert [key for key, entry in parameters.items() if entry["IsNoEcho"]] == ["MasterPassword"]
    assert [entry["Type"] for entry in described["ConstraintSummaries"]] == ["LAUNCH", "TEMPLATE", "RESOURCE_UPDATE"]
    usage = {entry["Type"]: entry["Value"] for entry in described["UsageInstructions"]}
    assert usage["tagUpdateOnProvisionedProduct"] == "ALLOWED"
    assert "MicroRunsInOneZone" in usage["rules"]
    assert described["TagOptions"][0] == {"Key": "cost-centre", "Values": ["cc-1001", "cc-1002", "cc-2001"]}
    assert [entry["Key"] for entry in described["ProvisioningArtifactOutputKeys"]][:2] == ["Endpoint", "Port"]


def test_tells_lists_and_notifications(aws: Aws) -> None:
    catalog = aws.client("servicecatalog")
    described = catalog.describe_provisioning_parameters(ProductId=NETWORK_PRODUCT, ProvisioningArtifactName="1.0")
    zones = described["ProvisioningArtifactParameters"][1]
    path = catalog.list_launch_paths(ProductId=NETWORK_PRODUCT)["LaunchPathSummaries"][0]

    assert (zones["ParameterType"], zones["DefaultValue"]) == ("CommaDelimitedList", "a,b")
    assert [entry["Type"] for entry in path["ConstraintSummaries"]] == ["LAUNCH", "NOTIFICATION"]
    assert path["Name"] == "Platform Engineering"


@pytest.mark.parametrize(
    ("product", "values", "words"),
    [
        (BUCKET_PRODUCT, {"BucketName": "corp-reports"}, "Parameters: [DataClass] must have values"),
        (BUCKET_PRODUCT, {**BUCKET, "Colour": "red"}, "Parameters [Colour] do not exist in the template"),
        (BUCKET_PRODUCT, {**BUCKET, "DataClass": "secret"}, "DataClass must be one of AllowedValues"),
        (BUCKET_PRODUCT, {**BUCKET, "BucketName": "Corp"}, "BucketName failed to satisfy constraint: lower-case"),
        (BUCKET_PRODUCT, {**BUCKET, "BucketName": "ab"}, "BucketName failed to satisfy constraint"),
        (BUCKET_PRODUCT, {**BUCKET, "ExpireAfterDays": "0"}, "must be a number not less than 1."),
        (BUCKET_PRODUCT, {**BUCKET, "ExpireAfterDays": "3651"}, "must be a number not greater than 3650."),
        (BUCKET_PRODUCT, {**BUCKET, "ExpireAfterDays": "a year"}, "ExpireAfterDays must be a number."),
        (BUCKET_PRODUCT, {**BUCKET, "ExpireAfterDays": "nan"}, "ExpireAfterDays must be a number."),
        (BUCKET_PRODUCT, {**BUCKET, "ReaderAccounts": "555566667777, 12"}, "account ids of twelve digits"),
        (DATABASE_PRODUCT, {**DATABASE, "MasterPassword": "short"}, "must contain at least 12 characters"),
        (DATABASE_PRODUCT, {**DATABASE, "MasterPassword": "x" * 65}, "must contain at most 64 characters"),
        (DATABASE_PRODUCT, {**DATABASE, "MasterPassword": "with a blank in it"}, "must match pattern"),
        (DATABASE_PRODUCT, {**DATABASE, "MultiAz": "true"}, "A db.t4g.micro runs in one zone only"),
        (NETWORK_PRODUCT, {"CidrBlock": "10.0.0.0/16", "AvailabilityZones": "a,z"}, "AvailabilityZones must be one"),
        (NETWORK_PRODUCT, {"CidrBlock": "10.256.0.0/16"}, "must be a block of 10.0.0.0/8"),
    ],
)
def test_holds_parameters_to_their_constraints(aws: Aws, product: str, values: dict[str, str], words: str) -> None:
    error = refusal(order, aws, "thing", product, values)

    assert error["Code"] == "InvalidParametersException"
    assert words in error["Message"]
    assert aws.client("servicecatalog").list_record_history()["RecordDetails"] == []


def test_a_bucket_is_there_in_three_simulated_minutes(aws: Aws) -> None:
    record = order(aws, "reports", BUCKET_PRODUCT, {**BUCKET, "ReaderAccounts": f"{WEBSHOP}, {NETWORK_LAB}"})
    aws.advance(2)
    assert aws.record(record["RecordId"])["Status"] == "IN_PROGRESS"
    assert aws.client("cloudformation").list_stacks()["StackSummaries"][0]["StackStatus"] == "CREATE_IN_PROGRESS"
    aws.advance(1.1)

    ended = aws.record(record["RecordId"])
    assert (ended["Status"], ended["ProvisionedProductType"]) == ("SUCCEEDED", "CFN_STACK")
    assert ended["LaunchRoleArn"].endswith(":role/service-catalog-launch")
    made = outputs(aws, "reports")
    assert (made["BucketName"], made["BucketArn"]) == ("corp-reports", "arn:aws:s3:::corp-reports")
    stack = stack_of(aws, "reports")
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert {"ParameterKey": "Versioning", "ParameterValue": "Enabled"} in stack["Parameters"]
    resources = aws.client("cloudformation").list_stack_resources(StackName=stack["StackName"])
    kinds = [entry["ResourceType"] for entry in resources["StackResourceSummaries"]]
    assert kinds == ["AWS::S3::Bucket", "AWS::KMS::Key"]
    found = aws.client("servicecatalog").search_provisioned_products(Filters={"SearchQuery": ["name:reports"]})
    assert found["ProvisionedProducts"][0]["PhysicalId"] == stack["StackId"]


def test_a_database_hides_its_password_and_a_network_names_its_subnets(aws: Aws) -> None:
    database = ordered(aws, "orders", DATABASE_PRODUCT, DATABASE)
    network = ordered(aws, "net", NETWORK_PRODUCT, {"CidrBlock": "10.1.0.0/16", "AvailabilityZones": "a,b,c"})

    assert database["Endpoint"].startswith("orders-")
    assert database["Port"] == "5432"
    shown = {entry["ParameterKey"]: entry["ParameterValue"] for entry in stack_of(aws, "orders")["Parameters"]}
    assert shown["MasterPassword"] == "****"
    assert network["VpcId"].startswith("vpc-")
    assert len(network["SubnetIds"].split(",")) == 3


def test_the_same_token_is_the_same_order(aws: Aws) -> None:
    first = order(aws, "reports", BUCKET_PRODUCT, BUCKET)
    aws.advance(5)
    again = order(aws, "reports", BUCKET_PRODUCT, BUCKET)

    assert first["RecordId"] == again["RecordId"]
    error = refusal(order, aws, "reports", BUCKET_PRODUCT, {**BUCKET, "DataClass": "public"})
    assert "used before" in error["Message"]
    error = refusal(order, aws, "reports", BUCKET_PRODUCT, BUCKET, ProvisionToken="another")
    assert "already exists" in error["Message"]


def test_tag_options_decide_about_tags(aws: Aws) -> None:
    error = refusal(order, aws, "reports", BUCKET_PRODUCT, BUCKET, Tags=[{"Key": "cost-centre", "Value": "cc-9"}])
    assert "TagOption" in error["Message"]
    record = order(aws, "reports", BUCKET_PRODUCT, BUCKET, Tags=[{"Key": "cost-centre", "Value": "cc-1002"}])
    aws.advance(5)

    expected = {"cost-centre": "cc-1002", "managed-by": "service-catalog"}
    assert {tag["Key"]: tag["Value"] for tag in record["RecordTags"]} == expected
    assert {tag["Key"]: tag["Value"] for tag in stack_of(aws, "reports")["Tags"]} == expected


def test_an_update_keeps_what_is_not_given(aws: Aws) -> None:
    ordered(aws, "orders", DATABASE_PRODUCT, DATABASE)
    catalog = aws.client("servicecatalog")
    update = {
        "ProvisionedProductName": "orders",
        "UpdateToken": "bigger",
        "ProvisioningParameters": [
            {"Key": "InstanceClass", "Value": "db.r7g.large"},
            {"Key": "AllocatedStorage", "Value": "100"},
            {"Key": "MasterPassword", "UsePreviousValue": True},
        ],
        "Tags": [{"Key": "cost-centre", "Value": "cc-2001"}],
    }
    first = catalog.update_provisioned_product(**update)["RecordDetail"]
    assert first["RecordType"] == "UPDATE_PROVISIONED_PRODUCT"
    other = {"ProvisionedProductName": "playground", "UpdateToken": "other", "ProductId": BUCKET_PRODUCT}
    assert "another product" in refusal(catalog.update_provisioned_product, **other)["Message"]
    assert "under change" in refusal(catalog.update_provisioned_product, **{**update, "UpdateToken": "b"})["Message"]
    aws.advance(3)

    assert catalog.update_provisioned_product(**update)["RecordDetail"]["Status"] == "SUCCEEDED"
    stack = stack_of(aws, "orders")
    shown = {entry["ParameterKey"]: entry["ParameterValue"] for entry in stack["Parameters"]}
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert (shown["AllocatedStorage"], shown["DatabaseName"]) == ("100", "orders")
    history = catalog.list_record_history()["RecordDetails"]
    assert [record["RecordType"] for record in history] == ["UPDATE_PROVISIONED_PRODUCT", "PROVISION_PRODUCT"]
    micro = [{"Key": "InstanceClass", "Value": "db.t4g.micro"}, {"Key": "MultiAz", "Value": "true"}]
    wrong = {**update, "UpdateToken": "wrong", "ProvisioningParameters": micro}
    assert "one zone only" in refusal(catalog.update_provisioned_product, **wrong)["Message"]


def test_tags_are_changed_only_where_a_constraint_allows_it(aws: Aws) -> None:
    ordered(aws, "net", NETWORK_PRODUCT, {"CidrBlock": "10.1.0.0/16"})
    update = {"ProvisionedProductName": "net", "UpdateToken": "t", "Tags": [{"Key": "team", "Value": "x"}]}

    error = refusal(aws.client("servicecatalog").update_provisioned_product, **update)
    assert "RESOURCE_UPDATE" in error["Message"]


def test_terminating_deletes_the_stack_and_is_repeatable(aws: Aws) -> None:
    made = ordered(aws, "reports", BUCKET_PRODUCT, BUCKET)
    catalog = aws.client("servicecatalog")
    end = {"ProvisionedProductName": "reports", "TerminateToken": "end"}
    first = catalog.terminate_provisioned_product(**end)["RecordDetail"]
    aws.advance(5)

    again = catalog.terminate_provisioned_product(**end)["RecordDetail"]
    assert (again["RecordId"], again["Status"]) == (first["RecordId"], "SUCCEEDED")
    assert refusal(aws.product, "reports")["Code"] == "ResourceNotFoundException"
    assert refusal(outputs, aws, "reports")["Code"] == "ResourceNotFoundException"
    stack = made["CloudformationStackARN"]
    described = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    assert described["StackStatus"] == "DELETE_COMPLETE"
    assert aws.client("cloudformation").describe_stacks()["Stacks"] == []
    assert ordered(aws, "anew", BUCKET_PRODUCT, BUCKET)["BucketName"] == "corp-reports"


def test_resources_may_be_retained(aws: Aws) -> None:
    ordered(aws, "reports", BUCKET_PRODUCT, BUCKET)
    aws.client("servicecatalog").terminate_provisioned_product(
        ProvisionedProductName="reports", TerminateToken="end", RetainPhysicalResources=True
    )
    aws.advance(5)

    found = aws.client("resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["s3"])["ResourceTagMappingList"]
    assert [entry["ResourceARN"] for entry in found] == ["arn:aws:s3:::corp-reports"]
    record = order(aws, "anew", BUCKET_PRODUCT, BUCKET)
    aws.advance(5)
    ended = aws.record(record["RecordId"])
    assert (ended["Status"], ended["RecordErrors"][0]["Code"]) == ("FAILED", "CloudFormationStackFailed")
    assert "corp-reports already exists" in ended["RecordErrors"][0]["Description"]
    assert aws.product("anew")["Status"] == "ERROR"


@pytest.mark.parametrize(("ignores", "status"), [(False, "FAILED"), (True, "SUCCEEDED")])
def test_a_termination_that_fails_ends_all_the_same_when_errors_are_ignored(
    aws: Aws, ignores: bool, status: str
) -> None:
    made = ordered(aws, "reports", BUCKET_PRODUCT, BUCKET)
    aws.post("faults", name="provisioning_failed", on=True, times=1, message="The bucket is not empty.")
    record = aws.client("servicecatalog").terminate_provisioned_product(
        ProvisionedProductName="reports", TerminateToken="end", IgnoreErrors=ignores
    )["RecordDetail"]
    aws.advance(5)

    assert aws.record(record["RecordId"])["Status"] == status
    found = aws.client("cloudformation").describe_stacks(StackName=made["CloudformationStackARN"])["Stacks"][0]
    assert (found["StackStatus"], found["StackStatusReason"]) == ("DELETE_FAILED", "The bucket is not empty.")
    if ignores:
        assert refusal(aws.product, "reports")["Code"] == "ResourceNotFoundException"
    else:
        assert aws.product("reports")["Status"] == "TAINTED"


@pytest.mark.parametrize(("fault", "status"), [("provisioning_failed", "ERROR"), ("tainted", "TAINTED")])
def test_faults_strike_orders_and_an_update_mends_them(aws: Aws, fault: str, status: str) -> None:
    aws.post("faults", name=fault, on=True, times=1, message="No luck today.")
    record = order(aws, "reports", BUCKET_PRODUCT, BUCKET)
    aws.advance(5)
    ended = aws.record(record["RecordId"])
    assert (ended["Status"], ended["RecordErrors"][0]["Description"]) == ("FAILED", "No luck today.")
    assert aws.product("reports")["Status"] == status

    mended = aws.client("servicecatalog").update_provisioned_product(
        ProvisionedProductName="reports", UpdateToken="mend"
    )["RecordDetail"]
    aws.advance(5)
    assert aws.record(mended["RecordId"])["Status"] == "SUCCEEDED"
    assert aws.product("reports")["Status"] == "AVAILABLE"
    assert outputs(aws, "reports")["BucketName"] == "corp-reports"


def test_an_update_that_fails_leaves_what_was_there(aws: Aws) -> None:
    ordered(aws, "reports", BUCKET_PRODUCT, BUCKET)
    aws.post("faults", name="provisioning_failed", on=True, times=1)
    record = aws.client("servicecatalog").update_provisioned_product(
        ProvisionedProductName="reports",
        UpdateToken="u",
        ProvisioningParameters=[{"Key": "BucketName", "Value": "corp-other"}],
    )["RecordDetail"]
    aws.advance(5)

    assert aws.record(record["RecordId"])["Status"] == "FAILED"
    assert aws.product("reports")["Status"] == "TAINTED"
    assert stack_of(aws, "reports")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert outputs(aws, "reports")["BucketName"] == "corp-reports"


def test_stacks_are_made_in_the_accounts_of_the_preferences(aws: Aws) -> None:
    values = {"CidrBlock": "10.1.0.0/16"}
    preferences = {"StackSetAccounts": [WEBSHOP, NETWORK_LAB], "StackSetRegions": ["eu-central-1"]}
    ordered(aws, "net", NETWORK_PRODUCT, values, ProvisioningPreferences=preferences)

    for account in (WEBSHOP, NETWORK_LAB):
        stacks = client_in(aws, account, "cloudformation", "eu-central-1").list_stacks()["StackSummaries"]
        assert any(stack["StackName"].startswith(f"SC-{MANAGEMENT_ACCOUNT}-pp-") for stack in stacks)
    assert aws.client("cloudformation").list_stacks()["StackSummaries"] == []
    refused = {"ProvisioningPreferences": {"StackSetAccounts": ["999999999999"]}}
    assert "not an active account" in refusal(order, aws, "x", NETWORK_PRODUCT, values, **refused)["Message"]


def test_a_shared_portfolio_is_ordered_from_inside_the_account(aws: Aws) -> None:
    catalog = client_in(aws, WEBSHOP, "servicecatalog")
    names = [entry["Name"] for entry in catalog.search_products()["ProductViewSummaries"]]
    assert "Encrypted S3 bucket" in names
    assert ACCOUNT_FACTORY_NAME not in names
    order(aws, "reports", BUCKET_PRODUCT, BUCKET, catalog)
    aws.advance(5)

    assert catalog.describe_provisioned_product(Name="reports")["ProvisionedProductDetail"]["Status"] == "AVAILABLE"
    assert refusal(aws.product, "reports")["Code"] == "ResourceNotFoundException"
    found = client_in(aws, WEBSHOP, "resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["s3:bucket"])
    arns = [entry["ResourceARN"] for entry in found["ResourceTagMappingList"]]
    assert arns == ["arn:aws:s3:::corp-webshop-assets", "arn:aws:s3:::corp-reports"]
    # Tokens and names are each account's own.
    assert order(aws, "reports", BUCKET_PRODUCT, {**BUCKET, "BucketName": "corp-hub"})["Status"] == "CREATED"
    elsewhere = client_in(aws, "555566667777", "servicecatalog")
    assert elsewhere.search_products()["ProductViewSummaries"] == []


def test_another_unit_in_an_update_moves_the_account(aws: Aws) -> None:
    catalog = aws.client("servicecatalog")
    update = {
        "ProvisionedProductName": "playground",
        "ProductId": ACCOUNT_FACTORY_PRODUCT,
        "UpdateToken": "move",
        "ProvisioningParameters": [
            {"Key": "ManagedOrganizationalUnit", "Value": f"Test ({unit_id('w1test00')})"},
            {"Key": "SSOUserEmail", "Value": "newcomer@corp.example"},
            {"Key": "AccountEmail", "UsePreviousValue": True},
        ],
    }
    record = catalog.update_provisioned_product(**update)["RecordDetail"]
    aws.advance(15)

    assert aws.record(record["RecordId"])["Status"] == "SUCCEEDED"
    parents = aws.client("organizations").list_parents(ChildId="555566667777")["Parents"]
    assert parents[0]["Id"] == unit_id("w1test00")
    assert outputs(aws, "playground")["SSOUserEmail"] == "newcomer@corp.example"
    store = aws.client("sso-admin").list_instances()["Instances"][0]["IdentityStoreId"]
    users = aws.client("identitystore").list_users(IdentityStoreId=store)["Users"]
    assert "newcomer@corp.example" in [user["UserName"] for user in users]
    assert catalog.update_provisioned_product(**update)["RecordDetail"]["RecordId"] == record["RecordId"]
