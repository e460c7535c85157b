"""A temporary PostgreSQL cluster, shared by all workers of one test run, and empty databases in it.

The process that runs the whole session makes a folder with a FIFO in it and holds the FIFO open; the
first test that asks for a database starts the cluster there. A companion process reads the FIFO, and when
that ends (the run is over, has crashed or was killed) it stops the cluster and removes the folder.
"""

import fcntl
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.support.programs import find_postgres
from tests.support.scratch import find_scratch
from tests.support.tables import create_tables

FOLDER = pytest.StashKey[Path]()
LEASH = pytest.StashKey[int]()
START_TRIES = 5
TABLES = "tables"
# Speed over safety: nothing here outlives the run.
SERVER_SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=32MB",
    "max_connections=200",
    "jit=off",
    "unix_socket_directories=",
    "listen_addresses=127.0.0.1",
)
# The shell returns at once and leaves the rest to a child that nobody waits for.
STOP_AFTER_THE_RUN = '{ cat leash; "$0" stop -D data -m immediate -s; rm -rf "$PWD"; } >/dev/null 2>&1 &'


def _server_user() -> str | None:
    """Return the account to run the server as when we are root, which PostgreSQL refuses to be."""
    if os.geteuid() != 0:
        return None
    accounts = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in accounts else "nobody"


def _as_server_user() -> dict[str, Any]:
    user = _server_user()
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def pytest_configure(config: pytest.Config) -> None:
    """Make the cluster's folder, unless this is a worker: then the session's own process has made it."""
    worker_input: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker_input is not None:
        config.stash[FOLDER] = Path(worker_input["postgres_folder"])
        return
    folder = Path(tempfile.mkdtemp(prefix="quartermaster-postgres-", dir=find_scratch()))
    os.mkfifo(folder / "leash")
    if user := _server_user():
        for path in (folder, folder / "leash"):
            shutil.chown(path, user)
    config.stash[FOLDER] = folder
    # Open for reading as well, or this would wait for the reader. Child processes do not inherit it.
    config.stash[LEASH] = os.open(folder / "leash", os.O_RDWR)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker where the cluster is."""
    node.workerinput["postgres_folder"] = str(node.config.stash[FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let go of the cluster, or of its folder when no test has needed one."""
    leash = config.stash.get(LEASH, None)
    if leash is None:
        return
    os.close(leash)
    folder = config.stash[FOLDER]
    if not (folder / "started").exists():
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def own_cluster() -> Iterator[str]:
    """Give the URL of an empty database in a cluster of one's own, for measurements; "" without PostgreSQL."""
    programs = find_postgres()
    if programs is None:
        yield ""
        return
    folder = Path(tempfile.mkdtemp(prefix="quartermaster-postgres-", dir=find_scratch()))
    os.mkfifo(folder / "leash")
    if user := _server_user():
        for path in (folder, folder / "leash"):
            shutil.chown(path, user)
    leash = os.open(folder / "leash", os.O_RDWR)
    try:
        yield _start(programs, folder)
    finally:
        os.close(leash)


def _run(command: Sequence[str | Path], folder: Path) -> None:
    # The server inherits standard output from pg_ctl, so a pipe would never end.
    with (folder / "log").open("ab") as log:
        subprocess.run(
            command,
            cwd=folder,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            timeout=60,
            **_as_server_user(),
        )


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start(programs: Path, folder: Path) -> str:
    """Start a new cluster in `folder`; return the URL of its maintenance database."""
    (folder / "started").touch()
    subprocess.run(
        ["/bin/sh", "-c", STOP_AFTER_THE_RUN, programs / "pg_ctl"],
        cwd=folder,
        check=True,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # it outlives a Ctrl-C at the terminal, and so cleans up after it
        **_as_server_user(),
    )
    # fmt: off
    _run([programs / "initdb", "-D", "data", "--no-sync", "--auth=trust", "--username=postgres",
          "--encoding=UTF8", "--locale=C"], folder)
    # fmt: on
    for port in (_find_free_port() for _ in range(START_TRIES)):
        options = " ".join(f"-c {setting}" for setting in (*SERVER_SETTINGS, f"port={port}"))
        try:
            _run([programs / "pg_ctl", "start", "-D", "data", "-w", "-s", "-o", options], folder)
        except subprocess.CalledProcessError:
            continue  # another program may have taken the port in the meantime
        return f"postgresql://postgres@127.0.0.1:{port}/postgres"
    raise RuntimeError(f"PostgreSQL does not start:\n{(folder / 'log').read_text()}")


@pytest.fixture(scope="session")
def postgres_cluster(pytestconfig: pytest.Config) -> str:
    """The URL of the run's PostgreSQL (its maintenance database); the first to ask starts it."""
    programs = find_postgres()
    if programs is None:
        pytest.skip("PostgreSQL's server binaries are not installed")
    folder = pytestconfig.stash[FOLDER]
    address = folder / "address.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not address.exists():
            address.write_text(json.dumps(_start(programs, folder)))
    url: str = json.loads(address.read_text())
    return url


@pytest.fixture(scope="session")
def postgres_tables(pytestconfig: pytest.Config, postgres_cluster: str) -> str:
    """The name of a database with all tables and no rows, to make others from; the first to ask makes it."""
    folder = pytestconfig.stash[FOLDER]
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / TABLES).exists():
            with psycopg.connect(postgres_cluster, autocommit=True) as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TABLES)))
            create_tables(_url_of(postgres_cluster, TABLES))
            (folder / TABLES).touch()
    return TABLES


def _url_of(cluster: str, database: str) -> str:
    return f"{cluster.removesuffix('/postgres')}/{database}"


@pytest.fixture
def postgres_template() -> str:
    """The database that `postgres_url` copies: an empty one, unless a folder's own fixture names another."""
    return "template0"


@pytest.fixture
def postgres_url(postgres_cluster: str, postgres_template: str) -> Iterator[str]:
    """The URL of a new PostgreSQL database, dropped after the test whoever is still connected."""
    name = f"test_{uuid.uuid4().hex}"
    database, template = sql.Identifier(name), sql.Identifier(postgres_template)
    with psycopg.connect(postgres_cluster, autocommit=True) as connection:
        # The only way before version 15, and far cheaper where nothing is kept safe on a disk.
        way = sql.SQL("STRATEGY file_copy" if connection.info.server_version >= 150_000 else "")
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} {}").format(database, template, way))
    yield _url_of(postgres_cluster, name)
    with psycopg.connect(postgres_cluster, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'quartermaster.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database: the test runs on SQLite and on PostgreSQL."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url
