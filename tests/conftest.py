"""Every test's surroundings: no settings of the person's own, no network outside, no unseen skips."""

import os

import pytest

pytest_plugins = ["tests.support.network", "tests.support.postgres", "tests.support.chromium"]

# Nothing of the shell that starts the tests may reach the bot: neither settings, nor keys, nor proxies.
FOREIGN_PREFIXES = ("AWS_", "SLACK_", "TEAMS_", "LEX_", "SMTP_", "SNS_", "OIDC_", "SANDBOX_", "OTEL_", "PG")
FOREIGN_NAMES = {
    "ACCOUNT_NAME_PATTERN",
    "API_KEYS",
    "APPROVAL_HOURS",
    "APPROVERS",
    "CHAOS_ROLE_ARN",
    "CONTROL_TOWER_REGION",
    "DATABASE_URL",
    "DEPLOYMENT_OUS",
    "EXTRA_SLOTS",
    "HOST",
    "INSIGHTS_ROLE_ARN",
    "MAIL_FROM",
    "MANAGEMENT_ROLE_ARN",
    "MEMBER_ROLE_NAME",
    "MODE",
    "PORT",
    "PUBLIC_URL",
    "ROOT_EMAIL_DOMAINS",
    "TOOLCHAIN_ROLE_ARN",
    "VAR_DIR",
    "WORKING_HOURS",
}
for name in list(os.environ):
    if name.startswith(FOREIGN_PREFIXES) or name in FOREIGN_NAMES or name.lower().endswith("_proxy"):
        del os.environ[name]
os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_EC2_METADATA_DISABLED="true",
)


def _skipped(config: pytest.Config) -> list[pytest.TestReport]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return list(reporter.stats.get("skipped", [])) if reporter else []


def _skips_are_failures() -> bool:
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With CI=true, turn a run that skipped something into a failed one."""
    if exitstatus == pytest.ExitCode.OK and _skips_are_failures() and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say that skips are failures where they are; which and why is in pytest's own list above."""
    skipped = _skipped(config)
    if skipped and _skips_are_failures():
        terminalreporter.write_sep("=", "with CI=true a skipped test is a failure", red=True)
        for report in skipped:
            terminalreporter.write_line(f"SKIPPED {report.nodeid}", red=True)
