"""What people say to add a deployment with its pipeline, and to take one away."""

from __future__ import annotations

from bot.intent import Definition, Slot, SlotType, Value
from bot.slot_types import REGION
from intents.releases.definitions import COMPONENT, DEPLOYMENT

ADD, REMOVE = "AddDeployment", "RemoveDeployment"
NEW = "new"
"""What the slot Account holds where the account is yet to be vended."""
# Without a verb, “pool-7” in answer to a roll-out's question would mean these, and that nobody has asked for.
KIND = SlotType("DeploymentKind", (Value("silo", ("silos",)), Value("pool", ("pools",))))
ACCOUNT = SlotType("DeploymentAccount", listed=False, samples=("123456789012", "Webshop Prod", "a new account"))

ADDING = Definition(
    name=ADD,
    title="new deployment",
    description="Add a deployment: its pipeline is made, and it is known from then on.",
    said_with=r"\b(?:add|adding|set up|provision|onboard|create|make|need|want|new)\b",
    utterances=(
        "add a silo",
        "add a pool",
        "add silo {Deployment}",
        "add pool {Deployment}",
        "add the silo {Deployment}",
        "add the pool {Deployment}",
        "add a silo called {Deployment}",
        "add a pool called {Deployment}",
        "add a silo for {Deployment}",
        "add a pool for {Deployment}",
        "add silo {Deployment} in {Account} {Region}",
        "add pool {Deployment} in {Account} {Region}",
        "add silo {Deployment} in {Account} in {Region}",
        "add pool {Deployment} in {Account} in {Region}",
        "add silo {Deployment} to {Account} in {Region}",
        "add pool {Deployment} to {Account} in {Region}",
        "add silo {Deployment} in account {Account} in {Region}",
        "add pool {Deployment} in account {Account} in {Region}",
        "add silo {Deployment} of {Component} in {Account} {Region}",
        "add pool {Deployment} of {Component} in {Account} {Region}",
        "add silo {Deployment} in a new account",
        "add pool {Deployment} in a new account",
        "set up a silo for {Deployment}",
        "set up a pool for {Deployment}",
        "provision silo {Deployment} in {Account} {Region}",
        "provision pool {Deployment} in {Account} {Region}",
        "provision the pipeline of silo {Deployment}",
        "provision the pipeline of pool {Deployment}",
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
    confirmation="Shall I add the deployment {Deployment}?",
    declined="OK, nothing was added.",
)
REMOVING = Definition(
    name=REMOVE,
    title="removal of a deployment",
    description="Remove a deployment: its pipeline and its stacks are deleted.",
    destroys=True,
    said_with=r"\b(?:remove|removing|retire|delete|take down|tear down|decommission|get rid of)\b",
    utterances=(
        "remove silo {Deployment}",
        "tear down the deployment {Deployment}",
        "decommission the deployment {Deployment}",
        "the customer has left so delete the silo {Deployment}",
        "remove pool {Deployment}",
        "remove the silo {Deployment}",
        "remove the pool {Deployment}",
        "remove silo {Deployment} of {Component}",
        "remove pool {Deployment} of {Component}",
        "retire silo {Deployment}",
        "retire pool {Deployment}",
        "retire the silo {Deployment}",
        "retire the pool {Deployment}",
        "delete silo {Deployment}",
        "delete pool {Deployment}",
        "delete the silo {Deployment}",
        "delete the pool {Deployment}",
        "take down the silo {Deployment}",
        "take down the pool {Deployment}",
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
