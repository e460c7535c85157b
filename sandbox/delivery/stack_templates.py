"""CloudFormation templates, as far as the sandbox follows them: parameters, resources, Ref and Fn::Sub."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from sandbox.errors import AwsError

_NAMES = ("Name", "BucketName", "TableName", "FunctionName", "RoleName", "QueueName", "TopicName", "ProjectName")
_VARIABLE = re.compile(r"\$\{([A-Za-z0-9:._]+)\}")


def read_template(text: str) -> dict[str, Any]:
    """A template from JSON or YAML; ValidationError for what is none."""
    try:
        found = json.loads(text)
    except ValueError:
        try:
            found = yaml.load(text, _Loader)  # noqa: S506 - a safe loader, with CloudFormation's tags
        except yaml.YAMLError as error:
            raise refusal("Template format error: JSON or YAML not well-formed.") from error
    if not isinstance(found, dict) or not isinstance(found.get("Resources"), dict) or not found["Resources"]:
        raise refusal("Template format error: At least one Resources member must be defined.")
    for name, resource in found["Resources"].items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise refusal(
                f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member."
            )
    return found


def complete(template: Mapping[str, Any], given: Mapping[str, str], former: Mapping[str, str]) -> dict[str, str]:
    """The value of every parameter: given, as before where None was given, or the default."""
    declared = template.get("Parameters", {})
    unknown = [name for name in given if name not in declared]
    if unknown:
        raise refusal(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    values: dict[str, str] = {}
    for name, parameter in declared.items():
        value = given.get(name, former.get(name, parameter.get("Default")))
        if value is not None:
            values[name] = str(value)
            allowed = parameter.get("AllowedValues")
            if allowed and str(value) not in map(str, allowed):
                raise refusal(f"Parameter '{name}' must be one of AllowedValues")
    missing = [name for name in declared if name not in values]
    if missing:
        raise refusal(f"Parameters: [{', '.join(missing)}] must have values")
    return values


def resources_of(template: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The resources with values in them, each after those that it depends on."""
    found: dict[str, dict[str, Any]] = {}
    everything = template["Resources"]

    def add(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise refusal(f"Circular dependency between resources: [{', '.join(above)}]")
        if name in found or name not in everything:
            return
        for needed in sorted(_needs(everything[name])):
            add(needed, (*above, name))
        found[name] = {
            "Type": everything[name]["Type"],
            "Properties": _resolve(everything[name].get("Properties", {}), values),
        }

    for name in everything:
        add(name, ())
    return found


def physical_id(stack: str, logical_id: str, resource: Mapping[str, Any], unique: str) -> str:
    """What a resource is called: its own name if it has one, else one made of the stack's."""
    for name in _NAMES:
        given = resource["Properties"].get(name)
        if isinstance(given, str) and given:
            return given
    digest = hashlib.sha256(f"{unique}/{logical_id}".encode()).hexdigest()[:12]
    made = f"{stack}-{logical_id}-{digest.upper()}"
    return made.lower() if resource["Type"] == "AWS::S3::Bucket" else made


def needs_capability(template: Mapping[str, Any]) -> bool:
    """Whether a template makes what may give permissions."""
    return any(resource["Type"].startswith("AWS::IAM::") for resource in template["Resources"].values())


def refusal(message: str) -> AwsError:
    """CloudFormation's error for whatever is asked wrongly."""
    return AwsError("ValidationError", message)


def _needs(resource: Mapping[str, Any]) -> set[str]:
    needed = resource.get("DependsOn", [])
    return set([needed] if isinstance(needed, str) else needed) | _references(resource.get("Properties", {}))


def _references(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        if set(value) == {"Ref"}:
            return {str(value["Ref"])}
        if set(value) == {"Fn::GetAtt"}:
            named = value["Fn::GetAtt"]
            return {str(named[0] if isinstance(named, list) else str(named).partition(".")[0])}
        return set().union(*map(_references, value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*map(_references, value)) if value else set()
    return set()


def _resolve(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"Ref"}:
            return values.get(str(value["Ref"]), f"{{{value['Ref']}}}")
        if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
            return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), value["Fn::Sub"])
        return {name: _resolve(entry, values) for name, entry in value.items()}
    if isinstance(value, list):
        return [_resolve(entry, values) for entry in value]
    return value


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, such as !Ref."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
