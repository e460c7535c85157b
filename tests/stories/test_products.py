"""More than accounts: what can be ordered, the form from constraints, the order, its update and its end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.stage import Approver, Speaker, Stage, eventually
from tests.support.theatre import on_every_channel, on_every_database

PLAN = "Yes, go ahead"


async def orders_a_bucket(ana: Speaker, bucket: str = "ana-logs", name: str = "skip") -> str:
    """Order an encrypted bucket with the defaults, up to the placed request; return its id."""
    await ana.says("I need an encrypted bucket")
    for answer in (bucket, "internal", "skip", "default", "skip", "cc-1001", name):
        await ana.says(answer)
    ana.hears("Order Encrypted S3 bucket as", "Provisioned product")
    await ana.says("yes")
    return ana.request


async def is_carried_out(stage: Stage, ana: Speaker, bo: Approver, state: str = "succeeded") -> dict[str, Any]:
    """Have the request just placed approved and carried out; return its view."""
    request = ana.request
    await bo.opens_the_mail(about=request)
    await bo.approves()
    await stage.reaches(request, "running")
    await ana.hears_later("I will tell you here when that has ended")
    await stage.advance(minutes=5)
    return await stage.reaches(request, state)


async def has_a_bucket(stage: Stage, ana: Speaker, bo: Approver) -> str:
    """Order a bucket, see it made, and return the provisioned product's name."""
    await orders_a_bucket(ana)
    view = await is_carried_out(stage, ana, bo)
    return str(view["outcome"]["provisioned_product"])


@on_every_channel
async def test_what_can_be_ordered_is_listed_with_a_button_each(ana: Speaker) -> None:
    await ana.says("What can I order?")
    ana.hears("AWS Control Tower Account Factory", "Provisions an account")
    ana.hears("Encrypted S3 bucket", "encrypted with a key of its own", "PostgreSQL database")
    ana.does_not_hear("Bastion host", "Windows server")
    await ana.presses("Order Encrypted S3 bucket")
    ana.hears("BucketName: Name of the bucket")
    await ana.says("cancel")
    await ana.says("what can I order?")
    await ana.presses("Order an AWS account")
    ana.hears("what account type do you want?")


@on_every_channel
async def test_constraints_become_the_form_and_the_order_is_carried_out(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await ana.says("order a product")
    ana.hears("which product would you like?", "Encrypted S3 bucket", "PostgreSQL database")
    await ana.presses("Encrypted S3 bucket")
    ana.hears("lower-case letters, digits, dots and hyphens")
    await ana.says("Ana_Logs")
    ana.hears("“Ana_Logs” can't be BucketName: lower-case letters, digits, dots and hyphens", "BucketName")
    await ana.says("ana-logs")
    ana.hears("DataClass: How sensitive the data is. (internal, confidential or public)")
    await ana.presses("confidential")
    ana.hears("Versioning", "Enabled or Suspended", "Say “skip” for Enabled")
    await ana.says("skip")
    ana.hears("ExpireAfterDays", "a number from 1 to 3650")
    await ana.says("4000")
    ana.hears("it must be at most 3650")
    await ana.says("30")
    ana.hears("ReaderAccounts")
    await ana.says("444455556666, 12")
    ana.hears("“12” can't be ReaderAccounts: must be account ids of twelve digits")
    await ana.says("444455556666, 555566667777")
    ana.hears("Which cost-centre should it be tagged with? cc-1001, cc-1002 or cc-2001?")
    await ana.presses("cc-1002")
    ana.hears("What should it be called? Say “skip” to call it encrypted-s3-bucket-ana.")
    await ana.says("default")
    ana.hears("Order Encrypted S3 bucket as encrypted-s3-bucket-ana", "2.0", "confidential", "Enabled", "30")
    ana.hears("444455556666,555566667777", "encrypted-s3-bucket-ana", "ana@corp.example", "cc-1002")
    await ana.presses(PLAN)
    view = await is_carried_out(stage, ana, bo)
    await ana.hears_later("encrypted-s3-bucket-ana is ready", "arn:aws:s3:::ana-logs")
    assert view["outcome"]["outputs"]["BucketName"] == "ana-logs"
    found = stage.aws("servicecatalog").search_provisioned_products(
        AccessLevelFilter={"Key": "Account", "Value": "self"},
        Filters={"SearchQuery": ["name:encrypted-s3-bucket-ana"]},
    )["ProvisionedProducts"]
    assert [p["Status"] for p in found] == ["AVAILABLE"]
    tags = {tag["Key"]: tag["Value"] for tag in found[0]["Tags"]}
    assert tags["owner"] == "ana@corp.example"
    assert tags["quartermaster-request"] == view["id"]
    assert tags["cost-centre"] == "cc-1002"
    (order,) = await stage.calls("ProvisionProduct")
    assert order["params"]["ProvisionToken"] == f"{view['id']}-1"


@on_every_channel
async def test_parameters_are_corrected_by_their_names_while_others_are_asked_and_at_the_plan(ana: Speaker) -> None:
    await ana.says("I need an encrypted bucket")
    await ana.says("ana-logs")
    await ana.says("no, the bucket name is ana-logs-2")
    ana.hears("OK, BucketName: ana-logs-2 instead of ana-logs", "DataClass")
    await ana.says("internal")
    await ana.says("change the data class")
    ana.hears("DataClass: How sensitive")
    await ana.says("DataClass: secret")
    ana.hears("“secret” can't be DataClass", "Or say “keep” to keep internal")
    await ana.says("confidential")
    for answer in ("skip", "default", "skip", "cc-1001", "skip"):
        await ana.says(answer)
    ana.hears("Order Encrypted S3 bucket as", "ana-logs-2", "confidential", "365")
    await ana.says("change ExpireAfterDays to 30")
    ana.hears("ExpireAfterDays: 30 instead of 365")
    assert ana.sees_button(PLAN)
    await ana.says("change the cost-centre to cc-9999")
    ana.hears("“cc-9999” is no cost-centre that may be used")


@on_every_database
async def test_an_order_reaches_its_outputs_on_every_database(stage: Stage, ana: Speaker, bo: Approver) -> None:
    name = await has_a_bucket(stage, ana, bo)
    await ana.says("my products")
    ana.hears(name, "Encrypted S3 bucket", "2.0", "AVAILABLE")
    await ana.says(f"show product {name}")
    ana.hears("Owner", "ana@corp.example", "BucketArn", "arn:aws:s3:::ana-logs")


@on_every_channel
async def test_an_update_says_what_changes_from_what_to_what(stage: Stage, ana: Speaker, bo: Approver) -> None:
    name = await has_a_bucket(stage, ana, bo)
    await ana.says(f"update {name}")
    ana.hears("What should change?", "BucketName", "ExpireAfterDays")
    await ana.says("ExpireAfterDays and data class")
    ana.hears("DataClass")
    await ana.says("public")
    ana.hears("ExpireAfterDays")
    await ana.says("90")
    ana.hears(f"Update {name}: DataClass, ExpireAfterDays", "internal → public", "365 → 90")
    ana.hears("Stays as it is", "BucketName, ReaderAccounts, Versioning")
    await ana.presses(PLAN)
    await is_carried_out(stage, ana, bo)
    await ana.hears_later(f"{name} is updated")
    (call,) = await stage.calls("UpdateProvisionedProduct")
    kept = [p["Key"] for p in call["params"]["ProvisioningParameters"] if p.get("UsePreviousValue")]
    assert kept == ["BucketName", "ReaderAccounts", "Versioning"]


@on_every_channel
async def test_a_termination_shows_what_would_be_lost_and_ends_it(stage: Stage, ana: Speaker, bo: Approver) -> None:
    name = await has_a_bucket(stage, ana, bo)
    await ana.says(f"terminate {name}")
    ana.hears(f"Terminate {name} for good", "ana@corp.example", "2 resources")
    ana.hears("AWS::KMS::Key", "AWS::S3::Bucket ana-logs")
    await ana.presses(PLAN)
    await is_carried_out(stage, ana, bo)
    await ana.hears_later(f"{name} is terminated. 2 resources were deleted with it.")
    (call,) = await stage.calls("TerminateProvisionedProduct")
    assert call["params"]["TerminateToken"] == f"{ana.request}-1"
    await ana.says("my products")
    ana.hears("You have no products yet")


async def test_a_version_of_its_own_is_ordered_and_later_brought_up_to_date(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await ana.says("order the encrypted bucket version 1.0 called team-archive")
    for answer in ("team-archive", "internal", "skip", "skip", "skip", "cc-2001"):
        await ana.says(answer)
    ana.hears("as team-archive", "1.0 (deprecated)")
    await ana.says("yes")
    await is_carried_out(stage, ana, bo)
    await ana.says("update team-archive to version 2.0")
    ana.hears("Update team-archive: version 2.0", "1.0 → 2.0")
    await ana.says("yes")
    await is_carried_out(stage, ana, bo)
    await ana.says("show product team-archive")
    ana.hears("version 2.0")


async def test_half_a_name_that_fits_two_products_is_asked_about(ana: Speaker) -> None:
    await ana.says("order a network")
    ana.hears("“network” could be", "PostgreSQL database", "VPC with private subnets", "Which one?")
    await ana.presses("VPC with private subnets")
    ana.hears("CidrBlock")


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("order the Windows server", "no version that is active"),
        ("order the Kubernetes cluster", "There is no product that I may order called “Kubernetes cluster”"),
        ("order the bastion host", "There is no product that I may order called “bastion host”"),
    ],
)
async def test_what_can_not_be_ordered_is_explained(ana: Speaker, said: str, heard: str) -> None:
    await ana.says(said)
    ana.hears(heard, "product would you like?")


async def test_a_rule_of_the_product_refuses_before_anybody_is_asked(ana: Speaker) -> None:
    await ana.says("order the PostgreSQL database")
    for answer in ("orders", "db.t4g.micro", "skip", "true", "secretsmanager:orders-db", "cc-1001", "skip"):
        await ana.says(answer)
    ana.hears("A db.t4g.micro runs in one zone only.", "MultiAz")
    await ana.says("false")
    ana.hears("Order PostgreSQL database", "secret, read from secretsmanager:orders-db", "Shall I go ahead?")


async def test_without_a_name_the_own_products_are_offered(stage: Stage, ana: Speaker, bo: Approver) -> None:
    name = await has_a_bucket(stage, ana, bo)
    await ana.says("update a product")
    ana.hears("which of your products?", name)
    await ana.presses(name)
    ana.hears("What should change?")
    await ana.says("cancel")
    await ana.says("terminate a product")
    await ana.says(name)
    ana.hears(f"Terminate {name} for good")


async def test_only_the_owner_changes_and_ends_a_product(stage: Stage, ana: Speaker, bo: Approver) -> None:
    name = await has_a_bucket(stage, ana, bo)
    eve = stage.speaker("Eve Else")
    for said in (f"update {name}", f"terminate {name}"):
        await eve.says(said)
        eve.hears(f"You may not change {name}. Only the owner of a product")
        await eve.says("cancel")
    await eve.says(f"show product {name}")
    eve.hears(f"You may not look into {name}")
    eve.does_not_hear("arn:aws:s3")
    assert await stage.calls("TerminateProvisionedProduct") == []


async def test_an_account_is_not_ended_as_a_product(stage: Stage, ana: Speaker) -> None:
    accounts = stage.aws("servicecatalog").scan_provisioned_products(
        AccessLevelFilter={"Key": "Account", "Value": "self"}
    )["ProvisionedProducts"]
    account = next(p["Name"] for p in accounts if p["Type"] == "CONTROL_TOWER_ACCOUNT")
    await ana.says(f"terminate the product {account}")
    ana.hears(f"{account} is an account.", "To close an account say “close account …”")
    assert await stage.calls("TerminateProvisionedProduct") == []


async def test_an_order_that_leaves_something_behind_says_how_to_go_on(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await stage.switches_on("tainted", times=1)
    await orders_a_bucket(ana)
    view = await is_carried_out(stage, ana, bo, "failed")
    name = view["outcome"]["provisioned_product"]
    await ana.hears_later("is not whole (TAINTED)", f"“update {name}”", f"“terminate {name}”")
    await ana.says(f"terminate {name}")
    ana.hears("TAINTED", "AWS::S3::Bucket ana-logs")
    await ana.says("yes")
    await is_carried_out(stage, ana, bo)


async def test_an_order_that_fails_before_it_makes_anything_says_so(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await stage.switches_on("provisioning_failed", times=1)
    await orders_a_bucket(ana)
    view = await is_carried_out(stage, ana, bo, "failed")
    assert view["outcome"]["product_status"] == "ERROR"
    await ana.hears_later("failed before anything of", "was made", "ask again under another name")


async def test_a_termination_that_fails_says_that_it_is_still_there(stage: Stage, ana: Speaker, bo: Approver) -> None:
    name = await has_a_bucket(stage, ana, bo)
    await stage.switches_on("provisioning_failed", times=1)
    await ana.says(f"terminate {name}")
    await ana.says("yes")
    await is_carried_out(stage, ana, bo, "failed")
    await ana.hears_later(f"{name} is still there, perhaps in part")


@on_every_channel
async def test_operators_retry_an_order_and_an_end_that_failed(stage: Stage, ana: Speaker, bo: Approver) -> None:
    operator = stage.speaker("Bo Lee")
    request = await orders_a_bucket(ana)
    await bo.opens_the_mail(about=request)
    await stage.switches_on("access_denied", operations=["ProvisionProduct"])
    await bo.approves()
    await ana.hears_later("Nothing was changed", f"an operator can say “retry {request}")
    ana.does_not_hear("arn:")
    await stage.switches_off("access_denied")
    await operator.says(f"retry {request}")
    await ana.hears_later("I will tell you here when that has ended")
    await stage.advance(minutes=5)
    view = await stage.reaches(request, "succeeded")
    name = view["outcome"]["provisioned_product"]
    await stage.switches_on("provisioning_failed", times=1)
    await ana.says(f"terminate {name}")
    await ana.presses(PLAN)
    ended = ana.request
    await is_carried_out(stage, ana, bo, "failed")
    await ana.hears_later("is still there", f"an operator can retry {ended}")
    await operator.says(f"retry {ended}")

    async def is_sent_again() -> bool:
        return len(await stage.calls("TerminateProvisionedProduct")) == 2

    await eventually(is_sent_again, lambda: "it was not sent again")  # a card in Slack still says what it said before
    await stage.advance(minutes=5)
    await stage.reaches(ended, "succeeded")
    tokens = [call["params"]["TerminateToken"] for call in await stage.calls("TerminateProvisionedProduct")]
    assert tokens == [f"{ended}-1", f"{ended}-1-1"]


async def test_an_order_whose_answer_is_lost_is_placed_once(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await stage.switches_on("connection_reset", operations=["ProvisionProduct"], times=4, when="after")
    await orders_a_bucket(ana)
    view = await is_carried_out(stage, ana, bo)
    found = stage.aws("servicecatalog").scan_provisioned_products(
        AccessLevelFilter={"Key": "Account", "Value": "self"}
    )["ProvisionedProducts"]
    assert [p["Name"] for p in found if p["Type"] == "CFN_STACK"] == [view["outcome"]["provisioned_product"]]


async def test_two_orders_of_one_name_are_told_apart(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await orders_a_bucket(ana, name="shared-bucket")
    cy = stage.speaker("Cy Other")
    await cy.says("I need an encrypted bucket")
    for answer in ("cy-logs", "internal", "skip", "skip", "skip", "cc-1001", "shared-bucket"):
        await cy.says(answer)
    cy.hears("shared-bucket is already part of an open request")
    assert len(await stage.requests()) == 1


async def test_new_resources_after_the_approval_are_asked_about_again(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await ana.says("order the VPC called web-net")
    for answer in ("10.1.0.0/16", "a,b", "skip"):
        await ana.says(answer)
    await ana.says("yes")
    await is_carried_out(stage, ana, bo)
    await ana.says("terminate web-net")
    ana.hears("4 resources")
    await ana.says("yes")
    request = ana.request
    catalog = stage.aws("servicecatalog")
    product = catalog.describe_provisioned_product(Name="web-net")["ProvisionedProductDetail"]
    catalog.update_provisioned_product(
        ProvisionedProductId=product["Id"],
        ProvisioningParameters=[
            {"Key": "AvailabilityZones", "Value": "a,b,c"},
            {"Key": "CidrBlock", "UsePreviousValue": True},
            {"Key": "FlowLogs", "UsePreviousValue": True},
        ],
    )
    await stage.advance(minutes=5)
    await bo.opens_the_mail(about=request)
    await bo.approves()
    await stage.reaches(request, "awaiting_approval")
    await ana.hears_later("5 resources")
    assert await stage.calls("TerminateProvisionedProduct") == []


SECRET = "Tr0ub4dor&3-Correct-Horse"


@on_every_channel
@pytest.mark.parametrize(
    "attack",
    [
        SECRET,
        f"the password is {SECRET}",
        f"MasterPassword={SECRET}",
        f"use {SECRET} please",
        f"what about {SECRET}?",
    ],
)
async def test_a_secret_typed_into_the_form_is_refused_and_kept_nowhere(
    stage: Stage, ana: Speaker, attack: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    await ana.says("order the PostgreSQL database")
    await ana.says(f"my master password is {SECRET}")
    for answer in ("orders", "db.t4g.medium", "skip", "skip"):
        await ana.says(answer)
    ana.hears("MasterPassword: Password of the first user", "never type it here", "secretsmanager:NAME")
    await ana.says(attack)
    ana.hears("MasterPassword is secret", "what you typed was not kept")
    ana.does_not_hear(SECRET)
    await ana.says("secretsmanager:orders-db")
    for answer in ("cc-1001", "skip"):
        await ana.says(answer)
    ana.hears("secret, read from secretsmanager:orders-db")
    await ana.says("yes")
    assert SECRET not in ana.last_heard
    assert SECRET not in json.dumps(await stage.requests())
    assert SECRET not in await dump_of(stage)
    assert SECRET not in "".join(capfd.readouterr()) + caplog.text


@on_every_database
async def test_a_secret_in_the_first_sentence_or_a_button_is_kept_nowhere(stage: Stage, ana: Speaker) -> None:
    await ana.says(f"order the PostgreSQL database with MasterPassword {SECRET}")
    for answer in ("orders", "db.t4g.medium", "skip", "skip"):
        await ana.says(answer)
    conversation = (await stage.client().post("/v1/messages", json=_press(ana, f"MasterPassword={SECRET}"))).json()
    assert "was not kept" in json.dumps(conversation, ensure_ascii=False)
    assert SECRET not in await dump_of(stage)


def _press(ana: Speaker, value: str) -> dict[str, Any]:
    line: Any = ana._line
    user = {"email": ana.email, "name": ana.name}
    return {"user": user, "conversation": line.conversation, "press": {"verb": "fill", "value": value}}


async def dump_of(stage: Stage) -> str:
    """Return every row of every table, as text."""
    from bot.database.tables import metadata

    rows: list[str] = []
    async with stage.application.services.database.read() as connection:
        for table in metadata.sorted_tables:
            rows.extend(str(tuple(row)) for row in (await connection.execute(table.select())).all())
    assert any("PostgreSQL" in row for row in rows)
    return "\n".join(rows)
