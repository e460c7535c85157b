"""Provisioning parameters: what Service Catalog says about each, as a question, and what it accepts."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import Invalid
from bot.intent import Slot, SlotType
from bot.withholding import REFERENCE, reference_of
from bot.words import either

OWN_SLOTS = frozenset({"Product", "Version", "ProvisionedName", "ProvisionedProduct", "LaunchPath", "Name", "Change"})
DEFAULT_WORDS = frozenset(
    "skip|skip it|default|the default|use the default|take the default|keep the default|defaults|leave it|"
    "leave it to you".split("|")
)
NOTHING_WORDS = frozenset({"none", "nothing", "no", "empty", "leave it empty"})
_TYPE = SlotType("ProvisioningParameter", listed=False)
_SHAPES = {
    "AWS::EC2::VPC::Id": r"vpc-[0-9a-f]+",
    "AWS::EC2::Subnet::Id": r"subnet-[0-9a-f]+",
    "AWS::EC2::SecurityGroup::Id": r"sg-[0-9a-f]+",
    "AWS::EC2::Instance::Id": r"i-[0-9a-f]+",
    "AWS::EC2::Image::Id": r"ami-[0-9a-f]+",
    "AWS::EC2::Volume::Id": r"vol-[0-9a-f]+",
}


@dataclass(frozen=True)
class Parameter:
    """One parameter as DescribeProvisioningParameters tells it; `hidden` is its IsNoEcho."""

    key: str
    description: str = ""
    type: str = "String"
    default: str | None = None
    hidden: bool = False
    allowed: tuple[str, ...] = ()
    pattern: str = ""
    min_length: int | None = None
    max_length: int | None = None
    min_value: float | None = None
    max_value: float | None = None
    constraint: str = ""

    @staticmethod
    def of(told: Mapping[str, Any]) -> Parameter:
        """Return the Parameter in an entry of ProvisioningArtifactParameters."""
        limits = told.get("ParameterConstraints") or {}
        return Parameter(
            key=told["ParameterKey"],
            description=(told.get("Description") or "").strip().rstrip("."),
            type=told.get("ParameterType") or "String",
            # What a hidden parameter has by default is as secret as any value of it.
            default=None if told.get("IsNoEcho") and not told.get("DefaultValue") else told.get("DefaultValue"),
            hidden=bool(told.get("IsNoEcho")),
            allowed=tuple(limits.get("AllowedValues") or ()),
            pattern=limits.get("AllowedPattern") or "",
            min_length=_whole(limits.get("MinLength")),
            max_length=_whole(limits.get("MaxLength")),
            min_value=_number(limits.get("MinValue")),
            max_value=_number(limits.get("MaxValue")),
            constraint=(limits.get("ConstraintDescription") or "").strip().rstrip("."),
        )

    @property
    def slot_name(self) -> str:
        """The name of its slot: its key, set apart where the form has a slot of that name itself."""
        return f"Parameter:{self.key}" if self.key in OWN_SLOTS or ":" in self.key else self.key

    @property
    def is_list(self) -> bool:
        """Whether the value is a list, written with commas."""
        return self.type == "CommaDelimitedList" or self.type.startswith("List<")

    @property
    def suggestions(self) -> tuple[str, ...]:
        """What buttons offer: the allowed values, the default first; else the default."""
        if self.hidden:
            return ()
        if self.allowed and not self.is_list:
            first = tuple(v for v in self.allowed if v == self.default)
            return first + tuple(v for v in self.allowed if v != self.default)
        if self.default is None:
            return ()
        return (self.default or "none",)

    @property
    def limits(self) -> str:
        """What is accepted, in words: the constraint's own, else those that follow from it; empty for anything."""
        said = []
        if self.allowed:
            said.append(("any of " if self.is_list else "") + either(self.allowed))
        elif self.constraint:
            said.append(re.sub(r"^must (?:be )?", "", self.constraint))
        elif self.pattern:
            said.append(f"a text like {self.pattern}")
        if self._element_type == "Number":
            said.append(_range("a number", self.min_value, self.max_value))
        elif self.min_length is not None or self.max_length is not None:
            said.append(_range("", self.min_length, self.max_length, " characters"))
        return "; ".join(part for part in said if part)

    @property
    def _element_type(self) -> str:
        return self.type[5:-1] if self.type.startswith("List<") else self.type


def question_of(parameter: Parameter) -> Slot:
    """Return the slot that asks for a parameter: its description and constraints as hints."""
    about = f"{parameter.key}: {parameter.description}." if parameter.description else f"{parameter.key}?"
    if parameter.hidden:
        skip = " Say “skip” to leave it to the product." if parameter.default is not None else ""
        prompt = (
            f"{about} This is secret, so never type it here: I don't take it and don't keep it. Put it into AWS "
            "Secrets Manager, in the account and Region where the product will live, and tell me only the secret's "
            f"name, as “secretsmanager:NAME”; CloudFormation reads it from there.{skip}"
        )
        return Slot(parameter.slot_name, _TYPE, prompt=prompt, label=parameter.key, secret=True)
    limits = f" ({parameter.limits})" if parameter.limits else ""
    several = " Separate several by commas." if parameter.is_list and "comma" not in about else ""
    skip = ""
    if parameter.default is not None:
        skip = f" Say “skip” for {parameter.default or 'none'}."
    return Slot(parameter.slot_name, _TYPE, prompt=f"{about}{limits}{several}{skip}", label=parameter.key)


def checked_answer(parameter: Parameter, said: str) -> str:
    """Return the value that an answer means; raises Invalid with the constraint's own words.

    Of a hidden parameter only a reference to the secret is taken; "" leaves it to the product's own default.
    """
    text, plain = said.strip(), said.strip().casefold().rstrip(".!")
    if parameter.hidden:
        return _checked_reference(parameter, text, plain)
    is_plain_default = plain in DEFAULT_WORDS and text not in parameter.allowed
    if is_plain_default and parameter.default is None:
        raise Invalid(f"{parameter.key} has no default.", field=parameter.slot_name, next_step=_ask_for(parameter))
    if is_plain_default or (parameter.default == "" and plain in NOTHING_WORDS):
        return parameter.default or ""
    return checked_value(parameter, text)


def checked_value(parameter: Parameter, text: str) -> str:
    """Return a value in its canonical form; raises Invalid with the constraint's own words."""
    if not parameter.is_list:
        return _checked_element(parameter, text)
    if not text and parameter.default == "":
        return ""
    return ",".join(_checked_element(parameter, part.strip()) for part in text.split(","))


def _checked_reference(parameter: Parameter, text: str, plain: str) -> str:
    if plain in DEFAULT_WORDS and parameter.default is not None:
        return ""
    reference = text if REFERENCE.fullmatch(text) and text.startswith("{{") else reference_of(text)
    if not reference:
        # What was said is not repeated: it may be the secret itself.
        raise Invalid(
            f"{parameter.key} is secret: I don't take it in chat, and what you typed was not kept.",
            field=parameter.slot_name,
            next_step="Put it into AWS Secrets Manager and tell me “secretsmanager:NAME”. If you typed the secret "
            "itself, change it: the chat may have kept it.",
        )
    if problem := _problem_of(parameter, reference):
        raise Invalid(
            f"CloudFormation holds the reference {reference} itself to the limits of {parameter.key}: {problem}.",
            field=parameter.slot_name,
            next_step="Give the secret another name, such as a shorter one.",
        )
    return reference


def _checked_element(parameter: Parameter, text: str) -> str:
    if parameter.allowed:
        for value in parameter.allowed:
            if value.casefold() == text.casefold():
                return value
    if problem := _problem_of(parameter, text):
        said = f"“{text[:80]}”" if text else "Nothing"
        raise Invalid(
            f"{said} can't be {parameter.key}: {parameter.constraint or problem}.",
            field=parameter.slot_name,
            next_step="" if parameter.allowed else _ask_for(parameter),
            choices=parameter.suggestions if parameter.allowed else (),
        )
    return text


def _problem_of(parameter: Parameter, text: str) -> str:
    if parameter.allowed and text not in parameter.allowed:
        return f"it must be {'any of ' if parameter.is_list else ''}{either(parameter.allowed)}"
    kind = parameter._element_type
    if kind == "Number":
        return _problem_of_number(parameter, text)
    if parameter.min_length is not None and len(text) < parameter.min_length:
        return f"it must have at least {parameter.min_length} characters, not {len(text)}"
    if parameter.max_length is not None and len(text) > parameter.max_length:
        return f"it must have at most {parameter.max_length} characters, not {len(text)}"
    if shape := _SHAPES.get(kind):
        return "" if re.fullmatch(shape, text) else f"it must look like {shape.partition('[')[0]}0123456789abcdef0"
    if parameter.pattern and not _fits(parameter.pattern, text):
        return f"it must match {parameter.pattern}"
    return ""


def _problem_of_number(parameter: Parameter, text: str) -> str:
    number = _number(text)
    if number is None or not math.isfinite(number) or not re.fullmatch(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?", text):
        return "it must be a number"
    if parameter.min_value is not None and number < parameter.min_value:
        return f"it must be at least {parameter.min_value:g}"
    if parameter.max_value is not None and number > parameter.max_value:
        return f"it must be at most {parameter.max_value:g}"
    return ""


def _fits(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:
        return True  # a Java expression that ours does not know: AWS decides


def _ask_for(parameter: Parameter) -> str:
    limits = parameter.limits
    is_said = not limits or (bool(parameter.constraint) and not parameter.allowed)
    return "" if is_said else f"It takes {limits}."


def _range(what: str, least: float | None, most: float | None, unit: str = "") -> str:
    bounds = ""
    if least is not None and most is not None:
        bounds = f"{'from ' if what else ''}{least:g} to {most:g}"
    elif least is not None:
        bounds = f"at least {least:g}"
    elif most is not None:
        bounds = f"at most {most:g}"
    return f"{what} {bounds}".strip() + (unit if bounds else "")


def _whole(text: Any) -> int | None:
    number = _number(text)
    return None if number is None else int(number)


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None
