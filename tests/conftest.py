"""Every test's surroundings: no settings of the person's own, no network outside, no unseen skips."""

import os
from pathlib import Path

# Workers share two cores: threads of one that wait for each other keep the others from theirs. Before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import structlog
from hypothesis import settings

pytest_plugins = [
    "pytester",
    "tests.support.chromium",
    "tests.support.forgetting",
    "tests.support.network",
    "tests.support.order",
    "tests.support.scratch",  # before the next, which looks there
    "tests.support.learning",  # after it, for the same reason
    "tests.support.postgres",
    "tests.support.skips",
    "tests.support.thrift",
]

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
    "DEPLOYMENT_COMPONENT",
    "DEPLOYMENT_OUS",
    "DEPLOYMENT_TABLE",
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
    # Whom the world trusts is nobody here, and takes each client 25 ms to load.
    SSL_CERT_FILE=str(Path(__file__).parent / "support" / "nobody.crt"),
)

# The default draws each traceback with all variables, which takes half a second of every failure that a test provokes.
_written = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], _written])

# How long an example takes says more about the machine than about the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
