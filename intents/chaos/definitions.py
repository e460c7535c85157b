"""What people say about experiments, and what they are asked before one is started."""

from __future__ import annotations

from bot.intent import Definition, Slot, SlotType

START, PREVIEW, CATALOGUE, TARGETS = (
    "StartExperiment",
    "PreviewExperiment",
    "ExperimentCatalogue",
    "ExperimentTargets",
)
STOP, STOP_ALL, ALLOW, KEEP, REPORT = (
    "StopExperiment",
    "StopEverything",
    "AllowExperiments",
    "KeepExperimentGoing",
    "ExperimentReport",
)
MAX_WORDS = 500
SECOND = "SecondPerson"
EXPERIMENT = SlotType(
    "ExperimentName",
    listed=False,
    samples=("AZ outage", "task loss", "instance loss", "az-outage-checkout-staging", "network latency", "CPU stress"),
)
STACK = SlotType("ExperimentStack", listed=False, samples=("checkout-staging", "catalogue-prod", "payments-test"))
EXPECTATION = SlotType(
    "Expectation",
    listed=False,
    samples=("orders go through all the time", "the error rate stays below one percent", "nobody notices"),
)
OVERRIDE = SlotType(
    "OverrideReason",
    listed=False,
    samples=("it is the drill that was agreed on", "the insight is about something else", "we know of it"),
)
REQUEST_ID = SlotType("RequestId", pattern="(qm-)?[23456789abcdefghjkmnpqrstvwxyz]{8}", listed=False)
LEVER_REASON = SlotType(
    "LeverReason", listed=False, samples=("production is on fire", "customers are complaining", "the incident is over")
)

STACK_SLOT = Slot("Stack", STACK, required=False, label="Stack", utterances=("on {Stack}", "against {Stack}"))
EXPERIMENT_SLOT = Slot(
    "Experiment",
    EXPERIMENT,
    prompt="{name}, which experiment? {choices}?",
    again="Which experiment? {choices}?",
    label="Experiment",
    why="I start what a template of Fault Injection Service says; its name tells me which.",
)
RUN_TIME_SLOT = Slot(
    "RunTime",
    SlotType("AMAZON.Duration"),
    required=False,
    label="Time limit",
    why="After this time I stop the experiment if it still runs; its template says how long it would take.",
    utterances=("for {RunTime}", "stop it after {RunTime}"),
)
EXPECTATION_SLOT = Slot(
    "Expectation",
    EXPECTATION,
    prompt="What do you expect to stay true while it runs?",
    label="Expectation",
    why="The report says whether it came true; without it an experiment only breaks things.",
    utterances=("I expect that {Expectation}", "we expect that {Expectation}"),
    is_prose=True,
)
REQUEST = Slot("RequestId", REQUEST_ID, required=False, label="Request")

STARTING = Definition(
    name=START,
    title="experiment",
    description="Start a chaos experiment, safely, and watch it.",
    utterances=(
        "run the {Experiment} experiment on {Stack}",
        "launch the {Experiment} experiment on {Stack}",
        "launch the {Experiment} experiment against {Stack}",
        "kick off {Experiment} chaos on {Stack} for {RunTime}",
        "start the {Experiment} chaos test on {Stack}",
        "run the {Experiment} chaos test against {Stack}",
        "let us break something in {Stack}",
        "run the {Experiment} experiment on {Stack} for {RunTime}",
        "run the {Experiment} experiment",
        "run the {Experiment} experiment for {RunTime}",
        "start the {Experiment} experiment on {Stack}",
        "start the {Experiment} experiment on {Stack} for {RunTime}",
        "start the {Experiment} experiment",
        "please run the {Experiment} experiment on {Stack}",
        "start the experiment {Experiment}",
        "run the experiment {Experiment}",
        "run experiment {Experiment} on {Stack}",
        "run experiment {Experiment} for {RunTime}",
        "run a chaos experiment",
        "start a chaos experiment",
        "I want to run an experiment",
        "start an experiment",
        "run the chaos experiment {Experiment} on {Stack}",
        "inject the fault {Experiment} into {Stack}",
        "begin the {Experiment} experiment on {Stack}",
        "let us run the {Experiment} experiment on {Stack}",
        "run {Experiment} on {Stack}",
        "run {Experiment} on {Stack} for {RunTime}",
        "run an {Experiment} on {Stack}",
        "kick off the {Experiment} experiment",
        "launch the {Experiment} experiment",
        "execute the {Experiment} experiment",
        "execute experiment {Experiment}",
        "do a chaos test on {Stack}",
        "run a chaos test on {Stack}",
        "simulate the {Experiment} on {Stack}",
        "simulate an {Experiment} on {Stack}",
    ),
    slots=(
        STACK_SLOT,
        RUN_TIME_SLOT,
        EXPERIMENT_SLOT,
        EXPECTATION_SLOT,
        Slot(
            "OverrideReason",
            OVERRIDE,
            required=False,
            label="Reason for the override",
            why="With a reason, and a second person who approves it, some of what stands against it is set aside.",
            utterances=("override because {OverrideReason}", "override it because {OverrideReason}"),
            is_prose=True,
        ),
        Slot(
            SECOND,
            SlotType("AMAZON.EmailAddress"),
            prompt="Who is the second person that answers for the override with you? {choices}?",
            required=False,
            label="Second person",
            why="An override is nobody's alone: only who is named here, of those who may approve it, lets it through.",
            utterances=("the second person is {SecondPerson}", "{SecondPerson} answers for it with me"),
        ),
    ),
    examples=("run the AZ outage experiment on checkout-staging for 15 minutes",),
    confirmation="Run the experiment {Experiment}?",
    declined="OK, nothing was started.",
)

PREVIEWING = Definition(
    name=PREVIEW,
    title="preview of an experiment",
    description="Have FIS itself tell what an experiment would hit, with every action skipped.",
    utterances=(
        "preview the {Experiment} experiment on {Stack}",
        "show the targets of the {Experiment} experiment on {Stack} without doing anything",
        "let FIS show the targets of the {Experiment} experiment on {Stack}",
        "preview the {Experiment} experiment",
        "preview the experiment {Experiment}",
        "preview {Experiment}",
        "preview an experiment",
        "do a dry run of the {Experiment} experiment on {Stack}",
        "do a dry run of the {Experiment} experiment",
        "have FIS preview the {Experiment} experiment",
        "preview {Experiment} on {Stack}",
        "preview the {Experiment} on {Stack}",
        "dry run of {Experiment} on {Stack}",
        "dry run of the {Experiment} on {Stack}",
        "do a dry run of {Experiment}",
    ),
    slots=(STACK_SLOT, EXPERIMENT_SLOT),
    examples=("preview the AZ outage experiment on checkout-staging",),
    confirmation="Have FIS preview the experiment {Experiment}?",
    declined="OK, nothing was previewed.",
)

LISTING = Definition(
    name=CATALOGUE,
    title="list of experiments",
    description="List the chaos experiments that can be run, and what each does.",
    utterances=(
        "which experiments are there",
        "what kinds of chaos tests are there",
        "list all fault injections",
        "which faults can you inject",
        "list the experiments",
        "list all chaos experiments",
        "show me the experiments",
        "what chaos experiments can I run",
        "which experiments can I run on {Stack}",
        "which experiments are there for {Stack}",
        "list the experiments for {Stack}",
        "experiment catalogue",
        "show the experiment templates",
        "what can we break",
        "what chaos tests are there",
        "which chaos tests can I run",
        "list the FIS templates",
        "which faults can we inject",
        "which experiments are running",
        "is an experiment running right now",
        "is there an experiment running",
        "how is the experiment going",
        "what about the experiment",
        "how far is the experiment",
        "how is the chaos run doing",
    ),
    slots=(STACK_SLOT,),
    examples=("which experiments are there",),
)

AIMING = Definition(
    name=TARGETS,
    title="targets of an experiment",
    description="Tell what an experiment would hit now.",
    utterances=(
        "what would it hit",
        "which instances would be hit by the {Experiment} experiment on {Stack}",
        "what would get hurt by the {Experiment} experiment on {Stack}",
        "what would that hit",
        "what would the {Experiment} experiment hit",
        "what would the {Experiment} experiment hit on {Stack}",
        "what would the {Experiment} experiment on {Stack} hit",
        "which targets would the {Experiment} experiment have on {Stack}",
        "what does the {Experiment} experiment on {Stack} hit",
        "show the blast radius of the {Experiment} experiment on {Stack}",
        "blast radius of the {Experiment} experiment",
        "what is the blast radius of the {Experiment} on {Stack}",
        "what would {Experiment} on {Stack} hit",
        "what will be hit by the {Experiment} experiment on {Stack}",
        "how many instances would {Experiment} on {Stack} hit",
        "how much would the {Experiment} experiment hit",
    ),
    slots=(STACK_SLOT, Slot("Experiment", EXPERIMENT, required=False, label="Experiment")),
    examples=("what would the AZ outage experiment on checkout-staging hit?",),
)

STOPPING = Definition(
    name=STOP,
    title="stop of an experiment",
    description="Stop an experiment at once.",
    acts_at_once=True,
    utterances=(
        "stop the experiment",
        "stop the chaos test",
        "abort the chaos test on checkout",
        "kill the running experiment",
        "end the chaos test now",
        "stop the chaos",
        "call the experiment off",
        "shut down the experiment",
        "stop the experiment {RequestId}",
        "stop the chaos experiment",
        "stop my experiment",
        "please stop the experiment",
        "abort the experiment",
        "abort the experiment {RequestId}",
        "halt the experiment",
        "end the experiment now",
        "kill the experiment",
        "stop experimenting",
    ),
    slots=(REQUEST,),
    examples=("stop the experiment",),
)

STOPPING_ALL = Definition(
    name=STOP_ALL,
    title="stop of all experiments",
    description="Stop all experiments and let none start: engage the safety lever. For operators.",
    acts_at_once=True,
    utterances=(
        "stop everything",
        "stop everything because {LeverReason}",
        "stop all experiments",
        "stop all experiments because {LeverReason}",
        "stop all chaos experiments",
        "stop every experiment",
        "engage the safety lever",
        "engage the safety lever because {LeverReason}",
        "pull the safety lever",
        "halt all experiments",
        "kill all experiments",
        "pull the plug on all experiments",
        "abort all experiments",
        "emergency stop",
    ),
    slots=(Slot("LeverReason", LEVER_REASON, required=False, label="Reason"),),
    examples=("stop all experiments because production is on fire",),
)

ALLOWING = Definition(
    name=ALLOW,
    title="end of the stop of all experiments",
    description="Let experiments start again: disengage the safety lever. For operators.",
    acts_at_once=True,
    utterances=(
        "allow experiments again",
        "allow experiments",
        "disengage the safety lever",
        "release the safety lever",
        "let experiments run again",
        "permit experiments again",
        "enable experiments again",
        "unlock experiments",
    ),
    examples=("allow experiments again",),
)

KEEPING = Definition(
    name=KEEP,
    title="word that an experiment goes on",
    description="Say that a production experiment goes on.",
    acts_at_once=True,
    utterances=(
        "keep going",
        "the experiment may carry on",
        "let the experiment continue",
        "keep going with {RequestId}",
        "keep it going",
        "keep the experiment going",
        "keep it running",
        "keep {RequestId} going",
        "yes keep going",
        "continue the experiment",
        "continue with the experiment",
        "let it run",
        "let the experiment go on",
    ),
    slots=(REQUEST,),
    examples=("keep going",),
)

REPORTING = Definition(
    name=REPORT,
    title="report of an experiment",
    description="Tell what an experiment did to alarms and metrics, before, during and after.",
    utterances=(
        "report of the experiment",
        "how did the chaos test go",
        "what did the chaos test show",
        "how did the metrics do during the chaos test",
        "report of the experiment {RequestId}",
        "report on the experiment {RequestId}",
        "experiment report",
        "experiment report {RequestId}",
        "show the experiment report for {RequestId}",
        "what did the experiment do",
        "what did the experiment show",
        "how did the experiment go",
        "what came out of the experiment",
        "did the hypothesis hold",
        "results of the experiment",
        "was the experiment as expected",
    ),
    slots=(REQUEST,),
    examples=("experiment report",),
)
