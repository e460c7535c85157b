"""An Intent is chosen: one capability, whole, in one folder under `intents/`.

A *query* answers at once; a *change* is planned, approved and carried out by a workflow. Its `Definition`
is the one typed object that serves the Lex builder, the local engine, the help pages and the tests.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from bot.activity import Person
from bot.card import Card
from bot.errors import Invalid
from bot.plan import Plan
from bot.words import either

if TYPE_CHECKING:
    from bot.requests import RequestRecord
    from bot.services import Services
    from bot.workflow.model import SegmentResult, Watcher
    from bot.workflow.periodic import Job
    from bot.workflow.run import Run


@dataclass(frozen=True)
class Value:
    """One value of a slot type and the other words that mean it."""

    value: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class SlotType:
    """What a slot holds. A name that starts with "AMAZON." is Lex's own and needs no values.

    With `listed` only the values and their synonyms resolve (Lex: TopResolution); without it anything
    typed passes (Lex: OriginalValue) and `Change.validate` decides. `pattern` is a regular expression
    that a whole word must match. `samples` are typical values of a type that takes anything: Lex learns from them
    what they look like, and asks for some; they are no list.
    """

    name: str
    values: tuple[Value, ...] = ()
    listed: bool = True
    pattern: str = ""
    samples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Slot:
    """One thing to know. `prompt` may hold {name} (the person) and {choices}; slots are asked in order."""

    name: str
    type: SlotType
    prompt: str = ""
    again: str = ""
    """The question when it is repeated; the prompt when empty."""
    required: bool = True
    label: str = ""
    why: str = ""
    """What the answer is needed for, told to who asks."""
    tries: int = 4
    utterances: tuple[str, ...] = ()
    """Answers in a sentence, such as "put it in {AccountOU}", beyond the bare value."""
    secret: bool = False
    """Never stored: what is said while it is asked for is withheld, unless it names where the secret is kept."""
    reads_whole: bool = False
    """Its values have a grammar of their own: what `validate` takes is the answer, whatever else it could mean."""
    is_prose: bool = False
    """Answered in a sentence of one's own about anything: only what is asked or told to do outright is no answer."""


@dataclass(frozen=True)
class Definition:
    """What people can say to get this capability, and what they are asked."""

    name: str
    title: str
    description: str
    utterances: tuple[str, ...]
    slots: tuple[Slot, ...] = ()
    examples: tuple[str, ...] = ()
    """Sentences shown by `help`; each must reach this intent."""
    confirmation: str = ""
    """Lex's confirmation prompt with {Slot} placeholders; people are shown the plan beside it."""
    declined: str = "OK, nothing was done."
    asides: tuple[tuple[str, str], ...] = ()
    """What people ask about the order while they fill it in: (pattern of the folded question, answer)."""
    acts_at_once: bool = False
    """Whether saying it changes something without a plan to be confirmed: then it is never offered as a button.

    It is done only when it is said outright, see `bot.dialogue.commanding`; its utterances begin with their verbs.
    """

    follow_ups: str = ""
    """A pattern of texts, folded and without courtesies, that mean this only after what was shown: “and yesterday?”.

    `Query.follow_up` tells what they stand for; one that goes on with nothing is no question of this intent.
    """
    unclear: str = ""
    """A pattern of what makes a text mean this that was not understood but comes nearest to it: a mistyped id, say."""
    destroys: bool = False
    """Whether what it does can't be undone: when in doubt, the bot asks back which intent was meant."""

    said_with: str = ""
    """A pattern of what a text must hold to begin this: its verbs. Else it answers what is asked, or is unclear."""

    things: str = ""
    """What more than one of what it gives are called ("accounts"), where one is asked for at a time."""

    def slot(self, name: str) -> Slot:
        """Return the slot of that name; KeyError when there is none."""
        for slot in self.slots:
            if slot.name == name:
                return slot
        raise KeyError(name)


@dataclass(frozen=True)
class Ask:
    """Who asks for what, where: what an intent knows about one turn."""

    person: Person
    slots: Mapping[str, str]
    conversation: str = ""
    channel: str = ""
    owner: str = ""
    fresh: bool = False
    """Whether the world must be read anew, as before the first change; else a recent reading serves."""
    open_slots: Mapping[str, str] = field(default_factory=dict)
    """What the form holds that is open in the conversation while something else is asked."""
    text: str = ""
    """What was said, cleaned: for free words that no recogniser cuts out reliably."""


@dataclass(frozen=True)
class Answer:
    """What a query answers: a text that stands alone, and a card where the channel shows cards."""

    text: str
    card: Card | None = None


class Intent(ABC):
    """One capability. Subclasses are `Query` or `Change`; `create(services)` of the folder makes them."""

    shape: ClassVar[Literal["query", "change", "watch"]]
    jobs: tuple[Job, ...] = ()
    """What it does of its own accord every so often."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.definition = self.define()

    @abstractmethod
    def define(self) -> Definition:
        """Return the definition; called once, at start."""

    def is_offered_to(self, person: Person) -> bool:
        """Tell whether help and home tabs name it to a person: what they may do is decided when they ask for it."""
        is_allowed = self.services.policy.may_ask(person, self.definition, self.shape, {}).allowed
        return bool(self.definition.examples) and is_allowed

    async def choices(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return the values known only at run time for a slot, those to suggest first; empty for open slots."""
        return tuple(v.value for v in self.definition.slot(slot).type.values)

    async def suggestions(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return the few values that the question names; by default all choices."""
        return await self.choices(slot, ask)

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return the value in its canonical form, or raise Invalid with what is wrong and what would do."""
        slot_type = self.definition.slot(slot).type
        if slot_type.values and slot_type.listed:
            for listed in slot_type.values:
                if value.casefold() in {w.casefold() for w in (listed.value, *listed.synonyms)}:
                    return listed.value
            raise Invalid(f"“{value}” is not one of {either(tuple(v.value for v in slot_type.values))}.", field=slot)
        return value


class Query(Intent):
    """Answers at once and changes nothing."""

    shape: ClassVar[Literal["query", "watch"]] = "query"

    @abstractmethod
    async def answer(self, ask: Ask) -> Answer:
        """Return the answer; raises QuartermasterError with what to do instead."""

    async def follow_up(self, ask: Ask) -> str:
        """Return the whole question that a text stands for after what was just shown here; empty for none.

        Asked about texts that fit the definition's `follow_ups`. Raises Invalid for what it can't be changed to.
        """
        return ""

    async def answer_instead(self, ask: Ask) -> Answer:
        """Return what is told when something that acts at once was talked about but not asked for; changes nothing."""
        how = f" To do it, say “{self.definition.examples[0]}”." if self.definition.examples else ""
        return Answer(f"I have done nothing: I am not sure that you asked me to.{how}")


class Watch(Query):
    """A standing order: answered at once, and carried out whenever something happens that it is about.

    It changes nothing in AWS, only what people are told, so it needs no approval; policy says who may order it.
    """

    shape = "watch"


Segment = Callable[["Run"], Awaitable["SegmentResult"]]


class Change(Intent):
    """Changes the world: planned, approved, carried out durably."""

    shape = "change"
    takes_control_tower: ClassVar[bool] = False
    """Whether its running requests take one of Control Tower's few places, see `bot.places`."""
    watchers: tuple[Watcher, ...] = ()
    asks_again: ClassVar[bool] = True
    """Whether a plan that is another than the approved one is put up for approval; else its request fails."""
    stop_word: ClassVar[str] = ""
    """What a running request of this can be stopped as, such as “experiment”; empty when it can't be."""

    async def stop(self, record: RequestRecord, by: Person, surface: str) -> str:
        """Stop what a request under way does, at once, and return what is told; stopping twice is like once.

        Called by `bot.stopping`, which has asked the policy. What can't be stopped yet is tried again by itself.
        """
        raise NotImplementedError

    async def slots(self, ask: Ask) -> tuple[Slot, ...]:
        """Return what this form asks, in order; by default the definition's slots.

        What depends on the answers so far, such as a product's parameters, is added here: the recogniser
        does not know these slots, so that their answers are taken as they are said and given to `validate`.
        """
        return self.definition.slots

    def parted(self, values: dict[str, str], ask: Ask) -> dict[str, str]:
        """Return what was answered, by slot, with what free words name besides put into slots of their own."""
        return values

    async def rather(self, ask: Ask) -> tuple[str, dict[str, str]] | None:
        """Return another intent, with its slots, that an opening sentence belongs to; None to keep it.

        `ask.slots` are as the recogniser heard them. What is called "update NAME" is known once NAME is looked up.
        """
        return None

    async def claim(self, ask: Ask) -> dict[str, str] | None:
        """Return the slots of an opening that no recogniser was sure of, if it orders this; None when it does not.

        For sentences that hold nothing but names which only the intent can look up: “run NAME on NAME”.
        """
        return None

    @abstractmethod
    async def gather(self, ask: Ask) -> Mapping[str, Any]:
        """Read the world and return the facts the plan needs, as JSON types. Raises CloudError."""

    @abstractmethod
    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return the plan that follows from the facts. Pure: same facts, same plan."""

    @abstractmethod
    def segments(self) -> Mapping[str, Segment]:
        """Return the workflow's segments by name; the one called "start" runs first."""

    async def prepare(self, ask: Ask) -> Plan:
        """Gather and plan."""
        return self.plan(await self.gather(ask))


@dataclass
class Registry:
    """All intents by name."""

    intents: dict[str, Intent] = field(default_factory=dict)

    def add(self, intent: Intent) -> None:
        """Add one; two of one name are a programming error."""
        name = intent.definition.name
        if name in self.intents:
            raise ValueError(f"two intents are called {name}")
        self.intents[name] = intent

    def get(self, name: str) -> Intent | None:
        """Return the intent of that name, None if there is none."""
        return self.intents.get(name)

    def change(self, name: str) -> Change:
        """Return the change of that name; KeyError otherwise."""
        intent = self.intents[name]
        if not isinstance(intent, Change):
            raise KeyError(name)
        return intent
