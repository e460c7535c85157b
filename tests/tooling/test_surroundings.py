"""What every test stands on holds: the network guard, fresh databases, skips that fail under CI."""

import asyncio
import http.client
import os
import socket
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.support import network

SUITE_WITH_A_SKIP = """
    import pytest

    def test_works():
        pass

    @pytest.mark.skip(reason="PostgreSQL is not installed")
    def test_needs_postgres():
        pass
"""


@pytest.mark.parametrize("host", ["93.184.216.34", "169.254.169.254", "2001:db8::1", "api.corp.example"])
def test_hosts_outside_are_refused_and_remembered(host: str) -> None:
    connection = http.client.HTTPConnection(host, 80, timeout=1)
    with pytest.raises(network.NetworkOutsideError):
        connection.request("GET", "/")
    assert network.take_attempts() == [host]


async def test_the_event_loop_is_guarded_too() -> None:
    with pytest.raises(network.NetworkOutsideError):
        await asyncio.open_connection("10.0.0.1", 80)
    assert network.take_attempts() == ["10.0.0.1"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_can_be_reached(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection((host, server.getsockname()[1])).close()
    assert network.take_attempts() == []


def test_the_metadata_service_and_the_persons_own_profile_are_out_of_reach() -> None:
    assert os.environ["AWS_EC2_METADATA_DISABLED"] == "true"
    assert os.environ["AWS_CONFIG_FILE"] == os.environ["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert "AWS_PROFILE" not in os.environ


@pytest.mark.postgres
@pytest.mark.parametrize("_time", [1, 2])
def test_each_postgres_database_is_empty(postgres_url: str, _time: int) -> None:
    assert urlsplit(postgres_url).hostname == "127.0.0.1"
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE mine (id int)")


@pytest.mark.postgres
def test_a_database_goes_even_while_somebody_is_connected(
    postgres_cluster: str, postgres_url: str, request: pytest.FixtureRequest
) -> None:
    left_open = psycopg.connect(postgres_url)
    request.addfinalizer(left_open.close)
    assert left_open.execute("SELECT current_database()").fetchone() == (urlsplit(postgres_url).path[1:],)


@pytest.mark.parametrize(("ci", "status"), [("true", pytest.ExitCode.TESTS_FAILED), ("", pytest.ExitCode.OK)])
@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_a_skip_is_a_failure_in_ci_only(
    pytester: pytest.Pytester,
    pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
    ci: str,
    status: pytest.ExitCode,
    workers: tuple[str, ...],
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    pytester.makepyfile(SUITE_WITH_A_SKIP)
    # Nothing else that is installed takes part: that is all this needs, and it starts sooner.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    plugins = ("-p", "xdist", "-p", "tests.support.skips")
    result = pytester.runpytest_subprocess(*plugins, *workers)
    assert result.ret == status
    result.assert_outcomes(passed=1, skipped=1)
    if ci:
        result.stdout.fnmatch_lines(["SKIPPED *::test_needs_postgres"])
