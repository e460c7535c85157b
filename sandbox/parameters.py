"""Provisioning parameters held to their constraints, refused in CloudFormation's words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from sandbox.errors import AwsError
from sandbox.products import Parameter, Product

MASK = "****"


def check_values(product: Product, given: Mapping[str, str]) -> dict[str, str]:
    """The value of every parameter, defaults filled in; InvalidParametersException for what isn't accepted."""
    known = {parameter.key: parameter for parameter in product.parameters}
    unknown = [key for key in given if key not in known]
    if unknown:
        raise invalid(f"Parameters [{', '.join(unknown)}] do not exist in the template.")
    values = {key: given.get(key) or parameter.default for key, parameter in known.items()}
    missing = [key for key, value in values.items() if value is None]
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values.")
    complete = {key: str(value) for key, value in values.items()}
    for key, parameter in known.items():
        for entry in _entries(parameter, complete[key]):
            _check_entry(parameter, entry)
    for rule in product.rules:
        if complete[rule.when_key] == rule.when_value and complete[rule.key] not in rule.allowed:
            raise invalid(f"Template constraint violated: rule {rule.name}: {rule.description}")
    return complete


def mask_hidden(product: Product, values: Mapping[str, str]) -> dict[str, str]:
    """Values as CloudFormation shows them: what is NoEcho is masked."""
    hidden = {parameter.key for parameter in product.parameters if parameter.hidden}
    return {key: MASK if key in hidden else value for key, value in values.items()}


def describe_parameter(parameter: Parameter) -> dict[str, Any]:
    """A parameter as DescribeProvisioningParameters tells it."""
    constraints: dict[str, Any] = {"AllowedValues": list(parameter.allowed)} if parameter.allowed else {}
    limits = {
        "MinLength": parameter.min_length,
        "MaxLength": parameter.max_length,
        "MinValue": parameter.min_value,
        "MaxValue": parameter.max_value,
    }
    constraints |= {name: f"{limit:g}" for name, limit in limits.items() if limit is not None}
    if parameter.pattern is not None:
        constraints["AllowedPattern"] = parameter.pattern
    if parameter.constraint:
        constraints["ConstraintDescription"] = parameter.constraint
    described = {
        "ParameterKey": parameter.key,
        "ParameterType": parameter.type,
        "IsNoEcho": parameter.hidden,
        "Description": parameter.description,
        "ParameterConstraints": constraints,
    }
    return described if parameter.default is None else {**described, "DefaultValue": parameter.default}


def invalid(message: str) -> AwsError:
    """The error for parameters that contradict what there is."""
    return AwsError("InvalidParametersException", message)


def _entries(parameter: Parameter, value: str) -> list[str]:
    if parameter.type != "CommaDelimitedList":
        return [value]
    return [entry.strip() for entry in value.split(",")] if value else []


def _check_entry(parameter: Parameter, value: str) -> None:
    problem = _find_problem(parameter, value)
    if problem and parameter.constraint:
        problem = f"failed to satisfy constraint: {parameter.constraint}"
    if problem:
        raise invalid(f"Parameter {parameter.key} {problem}.")


def _find_problem(parameter: Parameter, value: str) -> str:
    if parameter.allowed and value not in parameter.allowed:
        return f"must be one of AllowedValues [{', '.join(parameter.allowed)}]"
    if parameter.type == "Number":
        return _find_problem_of_number(parameter, value)
    if parameter.min_length is not None and len(value) < parameter.min_length:
        return f"must contain at least {parameter.min_length} characters"
    if parameter.max_length is not None and len(value) > parameter.max_length:
        return f"must contain at most {parameter.max_length} characters"
    if parameter.pattern is not None and not re.fullmatch(parameter.pattern, value):
        return f"must match pattern {parameter.pattern}"
    return ""


def _find_problem_of_number(parameter: Parameter, value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return "must be a number"
    if not math.isfinite(number):
        return "must be a number"
    if parameter.min_value is not None and number < parameter.min_value:
        return f"must be a number not less than {parameter.min_value:g}"
    if parameter.max_value is not None and number > parameter.max_value:
        return f"must be a number not greater than {parameter.max_value:g}"
    return ""
