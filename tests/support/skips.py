"""With CI=true, a run that skipped a test has failed: what was not run is not known to work."""

import os

import pytest


def _skipped(config: pytest.Config) -> list[pytest.TestReport]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return list(reporter.stats.get("skipped", [])) if reporter else []


def _skips_are_failures() -> bool:
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Turn success into failure when something was skipped and that counts."""
    if exitstatus == pytest.ExitCode.OK and _skips_are_failures() and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """List the skips that made the run fail; the reasons are in pytest's own list."""
    skipped = _skipped(config)
    if skipped and _skips_are_failures():
        terminalreporter.write_sep("=", "with CI=true a skipped test is a failure", red=True)
        for report in skipped:
            terminalreporter.write_line(f"SKIPPED {report.nodeid}", red=True)
