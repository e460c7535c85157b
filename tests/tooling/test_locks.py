"""`make check` finds lock files that do not fit their lists, without a network."""

from pathlib import Path

import pytest

from tools import locks

HASH = "    --hash=sha256:" + "0" * 64


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with three lists and locks that fit them."""
    monkeypatch.setattr(locks, "ROOT", tmp_path)
    for name in locks.LISTS:
        (tmp_path / f"{name}.in").write_text("alpha\n")
    for name in locks.LISTS:
        write_lock(tmp_path, name, f"alpha==1.2 \\\n{HASH}\n")
    return tmp_path


def write_lock(project: Path, name: str, pins: str) -> None:
    (project / f"{name}.txt").write_text(f"{locks.DIGEST_LINE}{locks.digest_of_lists(name)}\n{pins}")


def test_the_projects_own_locks_are_in_step() -> None:
    assert locks.find_problems() == []


def test_finds_nothing_wrong_with_fitting_locks(project: Path) -> None:
    assert locks.find_problems() == []
    assert locks.main(["check"]) == 0


def test_an_edited_list_makes_its_lock_and_those_that_build_on_it_stale(project: Path) -> None:
    (project / "requirements-sandbox.in").write_text("alpha\nbeta\n")
    assert [problem.split()[0] for problem in locks.find_problems()] == [
        "requirements-sandbox.txt",
        "requirements-dev.txt",
    ]
    assert locks.main(["check"]) == 1


def test_line_ends_of_a_checkout_on_windows_do_not_matter(project: Path) -> None:
    (project / "requirements.in").write_bytes(b"alpha\r\n")
    assert locks.find_problems() == []


def test_two_locks_may_not_disagree_on_a_version(project: Path) -> None:
    write_lock(project, "requirements-dev", f"alpha==1.3 \\\n{HASH}\n")
    assert locks.find_problems() == [
        "alpha is 1.2 in requirements.txt, but 1.3 in requirements-dev.txt.",
    ]


def test_versions_for_different_platforms_are_no_disagreement(project: Path) -> None:
    marked = f"alpha==1.3 ; sys_platform == 'win32' \\\n{HASH}\n"
    write_lock(project, "requirements-dev", marked)
    assert locks.find_problems() == []


@pytest.mark.parametrize(
    "line",
    [
        "-i packages.corp.example",
        "-f wheels",
        "--trusted-host packages.corp.example",
        "beta @ https://corp.example/b.whl",
    ],
)
def test_a_lock_may_not_name_where_to_download_from(project: Path, line: str) -> None:
    write_lock(project, "requirements", f"{line}\nalpha==1.2 \\\n{HASH}\n")
    assert locks.find_problems() == [
        "requirements.txt names a place to download from: remove it, run `make lock`.",
    ]


def test_a_missing_lock_is_named(project: Path) -> None:
    (project / "requirements-dev.txt").unlink()
    assert locks.find_problems() == ["requirements-dev.txt is missing: run `make lock`."]


def test_explains_itself_when_called_wrongly(capsys: pytest.CaptureFixture[str]) -> None:
    assert locks.main(["lock"]) == 2
    assert "usage:" in capsys.readouterr().err
