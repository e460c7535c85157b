"""Answers that no recogniser knows are corrected by their names, however those are spelled."""

from __future__ import annotations

import pytest

from bot.dialogue.correcting import corrected, replaced
from bot.intent import Slot, SlotType

KIND = SlotType("ProvisioningParameter", listed=False)
SLOTS = [
    Slot("BucketName", KIND),
    Slot("DataClass", KIND),
    Slot("Parameter:Version", KIND, label="Version"),
    Slot("Tag:cost-centre", KIND, label="cost-centre"),
    Slot("DBInstanceClass", KIND),
]


@pytest.mark.parametrize(
    ("said", "slot", "value"),
    [
        ("BucketName: logs-2", "BucketName", "logs-2"),
        ("no, the bucket name is logs-2", "BucketName", "logs-2"),
        ("change BucketName to logs-2", "BucketName", "logs-2"),
        ("sorry, make the bucket-name logs-2", "BucketName", "logs-2"),
        ("data class = public", "DataClass", "public"),
        ("set dataclass to internal", "DataClass", "internal"),
        ("please change the data class", "DataClass", ""),
        ("the cost centre should be cc-7", "Tag:cost-centre", "cc-7"),
        ("change the version to 2.0", "Parameter:Version", "2.0"),
        ("db instance class: large", "DBInstanceClass", "large"),
        ("actually the data class is confidential, not public", "DataClass", "confidential, not public"),
    ],
)
def test_a_correction_names_the_answer_and_what_it_is_now(said: str, slot: str, value: str) -> None:
    found = corrected(said, SLOTS)
    assert found is not None
    assert (found[0].name, found[1]) == (slot, value)


@pytest.mark.parametrize(
    "said", ["logs-2", "public", "no", "change it", "the name is logs-2", "bucket", "classy: yes", "my database is x"]
)
def test_what_names_no_answer_corrects_none(said: str) -> None:
    assert corrected(said, SLOTS) is None


HELD = {"BucketName": "logs-1", "DataClass": "internal", "Parameter:Version": "a@corp.example"}


@pytest.mark.parametrize(
    ("said", "slot", "value"),
    [
        ("change a@corp.example to b@corp.example", "Parameter:Version", "b@corp.example"),
        ("no, replace logs-1 by logs-2", "BucketName", "logs-2"),
        ("use public instead of internal", "DataClass", "public"),
        ("public, not internal", "DataClass", "public"),
        ("not internal but public", "DataClass", "public"),
        ("A@corp.example should be b@corp.example.", "Parameter:Version", "b@corp.example"),
        ("logs-1 -> logs-2", "BucketName", "logs-2"),
        ("sorry, swap 'logs-1' for 'logs-2'", "BucketName", "logs-2"),
    ],
)
def test_a_correction_names_the_old_answer_and_the_new_one(said: str, slot: str, value: str) -> None:
    found = replaced(said, SLOTS, HELD)
    assert found is not None
    assert (found[0].name, found[1]) == (slot, value)


@pytest.mark.parametrize(
    "said",
    [
        "change c@corp.example to b@corp.example",
        "change internal to internal",
        "replace it",
        "not internal",
        "internal",
        "is it internal",
        "change the data class to public",
    ],
)
def test_what_names_no_old_answer_replaces_none(said: str) -> None:
    assert replaced(said, SLOTS, HELD) is None
