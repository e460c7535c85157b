"""What people say to add a deployment with its pipeline, and to take one away."""

from __future__ import annotations

from bot.intent import Definition, Slot, SlotType, Value
from bot.slot_types import REGION
from intents.releases.definitions import COMPONENT, DEPLOYMENT

ADD, REMOVE = "AddDeployment", "RemoveDeployment"
NEW = "new"
"""What the slot Account holds where the account is yet to be vended."""
KIND = SlotType("DeploymentKind", (Value("silo", ("silos",)), Value("pool", ("pools",))))
ACCOUNT = SlotType("DeploymentAccount", listed=False, samples=("123456789012", "Webshop Prod", "a new account"))

ADDING = Definition(
    name=ADD,
    title="new deployment",
    description="Add a deployment: its pipeline is made, and it is known from then on.",
    utterances=(
        "add a {Kind}",
        "add {Kind} {Deployment}",
        "add the {Kind} {Deployment}",
        "add a {Kind} called {Deployment}",
        "add a {Kind} for {Deployment}",
        "add {Kind} {Deployment} in {Account} {Region}",
        "add {Kind} {Deployment} in {Account} in {Region}",
        "add {Kind} {Deployment} to {Account} in {Region}",
        "add {Kind} {Deployment} in account {Account} in {Region}",
        "add {Kind} {Deployment} of {Component} in {Account} {Region}",
        "add {Kind} {Deployment} in a new account",
        "set up a {Kind} for {Deployment}",
        "provision {Kind} {Deployment} in {Account} {Region}",
        "provision the pipeline of {Kind} {Deployment}",
        "add a deployment",
        "add a tenant deployment",
    ),
    slots=(
        Slot("Kind", KIND, prompt="Silo or pool?", label="Kind", why="A silo is for one tenant, a pool for several."),
        Slot(
            "Deployment",
            DEPLOYMENT,
            prompt="What is it called? Such as acme.",
            label="Deployment",
            why="Its pipeline is called by its kind and this name.",
        ),
        Slot("Component", COMPONENT, prompt="Of which component? {choices}?", required=False, label="Component"),
        Slot(
            "Account",
            ACCOUNT,
            prompt="In which account? Its id or name, or “a new account”.",
            label="Account",
            why="Only active accounts under the OUs that the house has named may be deployed into.",
            utterances=("in account {Account}", "in {Account}"),
        ),
        Slot(
            "Region", REGION, prompt="In which Region? Such as eu-west-1.", label="Region", utterances=("in {Region}",)
        ),
    ),
    examples=("add silo acme in 444466667777 eu-west-1",),
    confirmation="Shall I add the {Kind} {Deployment}?",
    declined="OK, nothing was added.",
)
REMOVING = Definition(
    name=REMOVE,
    title="removal of a deployment",
    description="Remove a deployment: its pipeline and its stacks are deleted.",
    destroys=True,
    utterances=(
        "remove {Kind} {Deployment}",
        "remove the {Kind} {Deployment}",
        "remove {Kind} {Deployment} of {Component}",
        "retire {Kind} {Deployment}",
        "retire the {Kind} {Deployment}",
        "delete {Kind} {Deployment}",
        "delete the {Kind} {Deployment}",
        "take down the {Kind} {Deployment}",
    ),
    slots=(
        Slot("Kind", KIND, prompt="Silo or pool?", required=False, label="Kind"),
        Slot("Deployment", DEPLOYMENT, prompt="Which deployment? Such as silo acme.", label="Deployment"),
        Slot("Component", COMPONENT, prompt="Of which component? {choices}?", required=False, label="Component"),
    ),
    examples=("remove silo acme",),
    confirmation="Shall I remove {Deployment}, with its pipeline and its stacks?",
    declined="OK, nothing was removed.",
)
