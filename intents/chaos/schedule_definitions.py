"""What people say about experiments that come again by themselves."""

from __future__ import annotations

from bot.intent import Definition, Slot, SlotType
from intents.chaos.definitions import EXPECTATION_SLOT, EXPERIMENT_SLOT, REQUEST, RUN_TIME_SLOT, STACK_SLOT

SCHEDULE, SCHEDULES, END = "ScheduleExperiment", "ExperimentSchedules", "EndExperimentSchedule"
RECURRENCE = "Recurrence"
_WHEN = SlotType(
    "Recurrence",
    listed=False,
    samples=("every Tuesday at 10:00", "every weekday at 9 am", "every Monday and Thursday at 14:30 Europe/Berlin"),
)

SCHEDULING = Definition(
    name=SCHEDULE,
    title="schedule of an experiment",
    description="Run an experiment on a date, or again and again on days of the week.",
    utterances=(
        "schedule the {Experiment} experiment on {Stack} {Recurrence}",
        "run the {Experiment} experiment on {Stack} {Recurrence}",
        "{Recurrence} run the {Experiment} experiment on {Stack}",
        "plan the {Experiment} chaos test on {Stack} {Recurrence}",
        "schedule the {Experiment} experiment {Recurrence}",
        "schedule the {Experiment} experiment on {Stack}",
        "schedule the {Experiment} experiment",
        "schedule the experiment {Experiment}",
        "schedule an experiment",
        "schedule a chaos experiment",
        "schedule this experiment {Recurrence}",
        "schedule it {Recurrence}",
        "repeat the {Experiment} experiment on {Stack} {Recurrence}",
        "repeat the {Experiment} experiment {Recurrence}",
        "repeat the experiment {Recurrence}",
        "repeat this experiment {Recurrence}",
        "schedule {Experiment} on {Stack} {Recurrence}",
        "schedule the {Experiment} on {Stack} {Recurrence}",
        "repeat {Experiment} on {Stack} {Recurrence}",
    ),
    slots=(
        STACK_SLOT,
        RUN_TIME_SLOT,
        EXPERIMENT_SLOT,
        Slot(
            RECURRENCE,
            _WHEN,
            prompt="When? Such as “every Tuesday at 10:00 Europe/Berlin”.",
            label="When",
            why="I run it on these days of the week at that time; without a time zone it is the house's own, else UTC.",
        ),
        EXPECTATION_SLOT,
    ),
    examples=("schedule the AZ outage experiment on checkout-staging every Tuesday at 10:00",),
    confirmation="Schedule the experiment {Experiment}?",
    declined="OK, nothing was scheduled.",
)

LISTING_SCHEDULES = Definition(
    name=SCHEDULES,
    title="list of scheduled experiments",
    description="List the experiments that come again by themselves, and when.",
    utterances=(
        "which experiments are scheduled",
        "when do the recurring experiments run",
        "which chaos tests run regularly",
        "the timetable of the experiments",
        "what experiments are scheduled",
        "list the scheduled experiments",
        "show the scheduled experiments",
        "list the experiment schedules",
        "show the experiment schedules",
        "which experiment schedules are there",
        "when is the next experiment",
        "when does the next experiment run",
    ),
    examples=("which experiments are scheduled?",),
)

ENDING = Definition(
    name=END,
    title="end of a schedule",
    description="End the schedule of an experiment; one that is running goes on.",
    acts_at_once=True,
    utterances=(
        "end the schedule",
        "cancel the recurring experiment",
        "take the weekly chaos test off the calendar",
        "no more weekly experiments",
        "end the schedule {RequestId}",
        "end the experiment schedule",
        "end the experiment schedule {RequestId}",
        "end all experiment schedules",
        "unschedule the experiment",
        "unschedule {RequestId}",
        "remove the schedule {RequestId}",
        "delete the schedule {RequestId}",
        "stop the schedule {RequestId}",
        "stop scheduling the experiment",
        "cancel the schedule {RequestId}",
        "cancel the experiment schedule",
    ),
    slots=(REQUEST,),
    examples=("end the experiment schedule",),
)
