"""What people say to bots that is none of the bot's business.

The classifier learns these beside the bot's own samples, so that the wrapping of a sentence ("what is the …",
"can you … for me") is no evidence for any intent. Sentences with a telling word that the bot knows are left
out: a bot about the weather is allowed to know the weather.
"""

from __future__ import annotations

import random
from collections.abc import Sequence, Set
from typing import Final

from adapters.lex.engine.lexicon import CARRIER_WORDS, FAMILIES
from adapters.lex.engine.text import plain_words

_SEED: Final = 7_411
_COUNT: Final = 130

_THINGS: Final = (
    "weather|pizza|football match|movie|train to Berlin|song|recipe|dinner|haircut|taxi|cat|dog|"
    "birthday|holiday|president|moon|coffee|museum|dentist|novel|horoscope|stock price|lottery|"
    "bicycle|guitar|joke|river|hotel|flight|umbrella|homework|poem|wedding|garden|laundry|sandwich|"
    "capital of France|population of Peru|score|temperature|traffic|restaurant|battery|printer|"
    "calendar|alarm|bill|salary|parcel|password|invoice|car|bus|shoes|language|planet|doctor|medicine|"
    "gym"
).split("|")
_FRAMES: Final = (
    "what is the {}|what is a {}|where is the {}|how is the {}|when is the {}|who is the {}|"
    "how do I get to the {}|what was the {} yesterday|what happened to the {}|how much is the {}|"
    "show me the {}|show my {}|list all {}|tell me about the {}|find a {} near me|read me the {}|"
    "create a {}|make a {} for me|order me a {}|I want a new {}|I need a {} please|get me a {}|"
    "I would like to book a {}|set up a {} for tomorrow|open the {}|start the {}|stop the {}|"
    "cancel the {}|cancel my {}|delete the {}|remove my {}|close the {}|change my {}|turn off the {}|"
    "can you help me with my {}|please help me find a {}|is the {} done|is my {} ready|"
    "do you like the {}|did you see the {}|why is the {} so bad|can I have another {}|buy a {}|"
    "I have a question about the {}|my {} is broken|my {} is locked|call the {}|put the {} away|"
    "what do you think of the {}|could you play a {}|we want more {} in the {}|give me a {}"
).split("|")
_MENTIONS: Final = (
    "book a {thing} for the {value} team|buy a {thing} in {value}|is the {value} {thing} down|"
    "who is in the {value} {thing}|what is the {thing} for {value}|how is the {thing} in {value}|"
    "the {value} {thing} is on fire|I love the {value} {thing}"
).split("|")
_SAYINGS: Final = (
    "hello|hi there|hey|good morning|how are you|how old are you|who are you|who made you|"
    "are you a robot|what is your name|where are you from|I love you|I hate you|you are great|"
    "you are stupid|thanks|thank you very much|bye|see you tomorrow|nice to meet you|haha|"
    "what time is it|what day is it today|tell me something funny|sing for me|I am bored|I am tired|"
    "I am hungry|that is interesting|lol|what|why|really|who won the game last night|"
    "what is the meaning of life|do you have feelings|good night|how is it going|what is new|"
    "still not one|nor this|not this either|I don't have one yet|I have none|not that one|neither of them|"
    "none of these|I am not sure|I don't know yet|still thinking|that one is not mine|it is not one of those|"
    "I still have to find out|who knows|whatever you like|the same as before|not yet|one moment"
).split("|")


def small_talk(known_words: Set[str], values: Sequence[str] = ()) -> list[str]:
    """Out-of-scope sentences without any telling word among `known_words`; always the same ones.

    Some of them hold a slot's listed value from `values`: that too is no evidence when all else is strange.
    """
    dice = random.Random(_SEED)
    frames = [_fill(frame, dice) for _ in range(4) for frame in _FRAMES]
    strangers = [text for text in (*_SAYINGS, *frames) if not _telling_words(text) & known_words]
    sayings = [text for text in strangers if text in _SAYINGS]
    things = [thing for thing in _THINGS if not _telling_words(thing) & known_words]
    mentions = [
        frame.format(thing=dice.choice(things), value=dice.choice(values)) for frame in _MENTIONS if things and values
    ]
    return [*sayings, *[text for text in strangers if text not in _SAYINGS][: _COUNT - len(sayings)], *mentions]


def _fill(frame: str, dice: random.Random) -> str:
    return frame.format(*(dice.choice(_THINGS) for _ in range(frame.count("{}"))))


def _telling_words(text: str) -> set[str]:
    words = (word for word in plain_words(text) if word not in CARRIER_WORDS)
    return {word for word in words if FAMILIES.get(word) is None}
