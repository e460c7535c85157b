"""The house's file: what its guide shows is valid, its schema is in step, and each fault is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from bot.errors import SettingsError
from bot.house import DEFAULT, House, house_of, load_house
from bot.settings import load_settings
from tools.house_schema import SCHEMA, schema_text

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "house.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_schema_is_that_of_the_code() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), "run python -m tools.house_schema"


def test_the_guide_has_examples() -> None:
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_guides_examples_are_valid(example: str) -> None:
    House.model_validate(yaml.safe_load(example))


def test_the_guide_and_the_schema_know_every_entry() -> None:
    guide, schema = (ROOT / "docs" / "house.md").read_text(encoding="utf-8"), schema_text()
    for name in House.model_fields:
        assert f'"{name}"' in schema
        assert name in guide or name == "product_name", f"docs/house.md says nothing of {name}"


def test_the_shipped_file_means_the_defaults() -> None:
    shipped = load_house(ROOT / "house.yml")
    assert shipped.model_copy(update={"account_types": ()}) == DEFAULT.model_copy(update={"account_types": ()})
    assert [t.model_copy(update={"synonyms": ()}) for t in shipped.account_types] == [
        t.model_copy(update={"synonyms": ()}) for t in DEFAULT.account_types
    ]


def test_the_shipped_files_examples_are_valid_when_uncommented() -> None:
    text = (ROOT / "house.yml").read_text(encoding="utf-8")
    house = House.model_validate(yaml.safe_load(re.sub(r"^#(?! )|^#(?=  )", "", text, flags=re.MULTILINE)))
    assert house.extra_slots[0].kind == "email"
    assert house.account_types[0].budget is not None
    assert house.account_types[1].expires_days == 90


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("root_email_domains: [not a domain]", "root_email_domains.0: 'not a domain' is not a domain"),
        ("account_name_pattern: '['", "account_name_pattern: is not a regular expression"),
        ("extra_slots: [{name: owner, kind: text}]", "whoever answers for an account is known by an address"),
        ("extra_slots: [{name: expires}]", "'expires' is set by Quartermaster itself"),
        ("extra_slots: [{name: team, tag: x}, {name: unit, tag: X}]", "the tag: x is there twice"),
        ("extra_slots: [{name: size, kind: choice}]", "choice needs choices"),
        ("extra_slots: [{name: size, kind: choice, choices: [a&b]}]", "'a&b' can't be the value of a tag"),
        ("extra_slots: [{name: sso user}]", "'sso user' is asked already"),
        ("excluded: [Security]", "excluded: Extra inputs are not permitted"),
    ],
)
def test_each_fault_is_named_with_its_entry(tmp_path: Path, entry: str, fault: str) -> None:
    file = tmp_path / "house.yml"
    file.write_text(f"account_types: [{{name: Sandbox}}]\n{entry}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=re.escape(fault)):
        load_house(file)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("tags: {'quartermaster-request': x}", "is set by Quartermaster itself"),
        ("tags: {'aws:x': y}", "can't be a tag"),
        ("budget: {monthly_usd: 0}", "budget.monthly_usd"),
        ("contacts: {legal: {}}", "contacts.legal"),
        ("approvers: [nobody]", "approvers.0"),
    ],
)
def test_each_fault_of_an_account_type_is_named(tmp_path: Path, entry: str, fault: str) -> None:
    file = tmp_path / "house.yml"
    file.write_text(f"account_types:\n  - name: Sandbox\n    {entry}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=re.escape(fault)):
        load_house(file)


def test_settings_go_before_the_file_and_keep_its_descriptions(tmp_path: Path) -> None:
    file = tmp_path / "house.yml"
    file.write_text(
        "account_types: [{name: Sandbox}]\nextra_slots: [{name: cost centre, pattern: 'cc-.*'}, {name: team}]\n",
        encoding="utf-8",
    )
    chosen = {"aws_endpoint_url": "http://127.0.0.1:1", "house_file": file, "var_dir": tmp_path}
    house = house_of(load_settings(**chosen, extra_slots="owner,cost centre", root_email_domains="@Corp.example"))
    assert [(s.slot, s.kind, s.pattern) for s in house.extra_slots] == [
        ("Owner", "email", ""),
        ("CostCentre", "text", "cc-.*"),
    ]
    assert house.root_email_domains == ("corp.example",)
