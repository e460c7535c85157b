"""What a CodeDeploy revision says: which version of a function, or which tasks of a service, come after which."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from sandbox.errors import AwsError

_TYPES = {"Lambda": "AWS::Lambda::Function", "ECS": "AWS::ECS::Service"}


@dataclass(frozen=True)
class Target:
    """What is deployed to: versions of a function's alias, or task definitions of a service."""

    before: str
    after: str
    function: str = ""
    alias: str = ""


def read_app_spec(platform: str, revision: Mapping[str, Any]) -> Target:
    """What a revision's AppSpec says, in JSON or YAML; InvalidRevisionException for what it can't be."""
    given = revision.get("appSpecContent") or revision.get("string") or {}
    content, digest = given.get("content"), given.get("sha256")
    if not content:
        raise _refusal("The sandbox reads revisions of the type AppSpecContent.")
    if digest and digest != hashlib.sha256(content.encode()).hexdigest():
        raise _refusal("The sha256 of the AppSpec is not that of its content.")
    try:
        found = yaml.safe_load(content)
        entries = [entry for resource in found.get("Resources", []) for entry in resource.values()]
        described = next(entry for entry in entries if entry["Type"] == _TYPES[platform])
        properties = described["Properties"]
        if platform == "ECS":
            task, balancer = str(properties["TaskDefinition"]), properties["LoadBalancerInfo"]
            if not balancer["ContainerName"] or not balancer["ContainerPort"]:
                raise KeyError("LoadBalancerInfo")
            return Target(before="current", after=task.rpartition("/")[2] or task)
        names = ("CurrentVersion", "TargetVersion", "Name", "Alias")
        before, after, function, alias = (str(properties[name]) for name in names)
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, StopIteration) as error:
        raise _refusal(
            f"The AppSpec must have a resource of the type {_TYPES[platform]} with its properties."
        ) from error
    return Target(before, after, function, alias)


def _refusal(message: str) -> AwsError:
    return AwsError("InvalidRevisionException", message)
