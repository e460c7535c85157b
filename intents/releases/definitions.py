"""What people say about releases, and what they are asked before one begins."""

from __future__ import annotations

from bot.intent import Definition, Slot, SlotType
from bot.releases.wording import NAMED

ROLL_OUT, STATUS, BEHIND = "RollOut", "RolloutStatus", "DeploymentVersions"
PAUSE, RESUME, STOP = "PauseRollout", "ResumeRollout", "StopRollout"
RETRY, SKIP, BACK, WHY = "RetryDeployments", "SkipDeployments", "RollBack", "ExplainFailure"
STEAL = "StealComponent"
APPROVE_STAGE = "AnswerPipelineApproval"

VERSION = SlotType(
    "ReleaseVersion",
    pattern=r"v?[0-9]{1,5}(\.[0-9]{1,5}){1,3}(-[0-9A-Za-z.]{1,30})?",
    listed=False,
)
COMPONENT = SlotType("ComponentName", listed=False, samples=("checkout", "billing-api", "saas"))
WAVES = SlotType(
    "ReleaseWaves",
    listed=False,
    samples=(*NAMED, "pools before silos", "canary first, then 10 %, then everyone, skip acme until Monday"),
)
COMMIT = SlotType("CommitId", pattern="([0-9]{1,6}[a-f][0-9a-f]{5,33}|[a-f][0-9a-f]{6,39})", listed=False)
REQUEST_ID = SlotType("RequestId", pattern="(qm-)?[23456789abcdefghjkmnpqrstvwxyz]{8}", listed=False)
DEPLOYMENT = SlotType("DeploymentName", listed=False, samples=("pool-7", "acme", "silo-globex"))
REQUEST = Slot("RequestId", REQUEST_ID, required=False, label="Request")
NAME = Slot("Deployment", DEPLOYMENT, required=False, label="Deployment")
HOTFIX = SlotType(
    "HotfixReason", listed=False, samples=("customers can't pay", "a hole is being used", "orders get lost")
)

ROLLING_OUT = Definition(
    name=ROLL_OUT,
    title="roll-out",
    description="Roll a version out to all deployments, in waves.",
    utterances=(
        "roll out {Version}",
        "get {Version} out to everybody",
        "{Version} is ready so roll it out",
        "roll {Version} out",
        "roll out {Version} of {Component}",
        "roll out {Component} {Version}",
        "roll out version {Version}",
        "roll out version {Version} of {Component}",
        "please roll out {Version}",
        "roll out {Version} to everyone",
        "roll out {Version} to all tenants",
        "release {Version}",
        "release version {Version} of {Component}",
        "release {Version} of {Component} to the tenants",
        "start a roll-out",
        "start a rollout",
        "start a rollout of {Version}",
        "I want to roll out a new version",
        "roll out a release",
        "ship {Version} to everyone",
        "bring {Version} to all deployments",
        "deploy {Version}",
        "deploy {Version} to all tenants",
        "deploy version {Version} of {Component} to everybody",
        "ship {Component} {Version}",
        "push {Version} out to everybody",
        "roll out {Version} at commit {Commit}",
        "roll out {Version} of {Component} at commit {Commit}",
    ),
    slots=(
        Slot(
            "Version",
            VERSION,
            prompt="{name}, which version shall I roll out?",
            again="Which version? Such as 2.4.1.",
            label="Version",
            why="Its commit is looked up and pinned, so that what is approved is what runs.",
        ),
        Slot(
            "Component",
            COMPONENT,
            prompt="Of which component? {choices}?",
            required=False,
            label="Component",
            utterances=("of the component {Component}", "the component is {Component}"),
        ),
        Slot(
            "Waves",
            WAVES,
            prompt="In which waves? {choices}? You can also say “canary first, then 10 %, skip acme until Monday”.",
            again="In which waves?",
            label="Waves",
            reads_whole=True,
            why="A wave begins when the one before it is done and its gates are open; failures stop in it.",
            utterances=("roll it out {Waves}", "in these waves: {Waves}", "the waves are {Waves}", "do it {Waves}"),
        ),
        Slot(
            "Commit",
            COMMIT,
            required=False,
            label="Commit",
            utterances=("at commit {Commit}", "the commit is {Commit}"),
        ),
        Slot(
            "HotfixReason",
            HOTFIX,
            required=False,
            label="Hotfix because",
            why="A hotfix goes through a freeze; its own approvers have to agree.",
            utterances=("as a hotfix because {HotfixReason}", "it is a hotfix because {HotfixReason}"),
        ),
    ),
    examples=("roll out 2.4.1",),
    confirmation="Roll out {Version} in waves: {Waves}?",
    declined="OK, nothing was rolled out.",
)
