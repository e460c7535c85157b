"""The rules of the house: account types and OUs, read from house.yml. A file that is missing means the defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.directory import read_text_of
from bot.errors import SettingsError


class AccountType(BaseModel):
    """One kind of account that people can ask for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=40)
    synonyms: tuple[str, ...] = ()
    tier: Literal["standard", "production"] = "standard"


class House(BaseModel):
    """What the house allows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account_types: tuple[AccountType, ...] = Field(min_length=1)
    suggested_ous: tuple[str, ...] = ()
    """OUs that the question names; others of the organization are accepted too."""
    excluded_ous: tuple[str, ...] = ("Security",)
    """OUs that nobody may vend into, by name or path, with everything below them."""
    product_name: str = "AWS Control Tower Account Factory"


DEFAULT = House(
    account_types=(
        AccountType(name="Production", synonyms=("prod", "live", "prd"), tier="production"),
        AccountType(name="Sandbox", synonyms=("playground", "sbx", "sand box", "test", "dev", "development")),
    ),
    suggested_ous=("Experiment", "Demos"),
)


def load_house(path: Path) -> House:
    """Read house.yml; raises SettingsError that names the entry at fault."""
    if not path.exists():
        return DEFAULT
    try:
        return House.model_validate(yaml.safe_load(read_text_of(path)) or {})
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise SettingsError(f"{path}: {where}: {first['msg']}.") from error
