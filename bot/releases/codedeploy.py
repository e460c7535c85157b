"""Deployments that CodeDeploy changes rather than a pipeline: a Lambda function's alias, or an ECS service's tasks.

Written as `lambda:APPLICATION/GROUP/FUNCTION/ALIAS` or `ecs:APPLICATION/GROUP/SERVICE/FAMILY`, the last being the
family of the service's task definitions. None of these names has a slash in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from bot.errors import Invalid

Platform = Literal["Lambda", "ECS"]
FORMS = "lambda:shop-prices/production/shop-prices/live or ecs:shop-web/production/shop/shop-web"
_GROUP = r"[A-Za-z0-9._+=,@-]{1,100}"
_WRITTEN = re.compile(
    rf"(?P<kind>lambda|ecs):(?P<application>{_GROUP})/(?P<group>{_GROUP})"
    r"/(?P<unit>[A-Za-z0-9_-]{1,140})/(?P<label>[A-Za-z0-9_-]{1,140})",
    re.IGNORECASE,
)
_PLATFORMS: dict[str, Platform] = {"lambda": "Lambda", "ecs": "ECS"}


@dataclass(frozen=True)
class CodeDeployTarget:
    """What a deployment group deploys to. `unit` is the function or the service, `label` its alias or tasks' family."""

    platform: Platform
    application: str
    group: str
    unit: str
    label: str

    @property
    def text(self) -> str:
        """As it is written; `codedeploy_of` is the inverse."""
        return f"{self.platform.lower()}:{self.application}/{self.group}/{self.unit}/{self.label}"

    @property
    def shown(self) -> str:
        """What people know it by: prices:live, or the service shop."""
        return f"{self.unit}:{self.label}" if self.platform == "Lambda" else f"the service {self.unit}"


@cache
def codedeploy_of(text: str) -> CodeDeployTarget | None:
    """Return the target that a text means, None for an empty one. Raises Invalid."""
    if not text.strip():
        return None
    found = _WRITTEN.fullmatch(text.strip())
    if not found:
        raise Invalid(
            f"codedeploy: “{text[:60]}” is no target of CodeDeploy; write one like {FORMS}.", field="codedeploy"
        )
    platform = _PLATFORMS[found["kind"].casefold()]
    return CodeDeployTarget(platform, found["application"], found["group"], found["unit"], found["label"])
