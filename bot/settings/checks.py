"""Combinations of settings that would be unsafe or can't work are refused at start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.directory import Directory
from bot.errors import SettingsError
from bot.hours import WorkingHours
from bot.settings.chat_checks import check_slack, check_teams
from bot.settings.hosts import is_loopback_host
from bot.settings.kinds import SNS_HOSTS

if TYPE_CHECKING:
    from bot.settings.model import Settings


def check(settings: Settings) -> None:
    """Refuse combinations that would be unsafe or can't work; raises SettingsError."""
    url = urlsplit(settings.public_url)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise SettingsError(f"PUBLIC_URL must be an http or https URL; it is {settings.public_url!r}.")
    if settings.uses_oidc and not (settings.oidc_client_id and settings.oidc_client_secret):
        raise SettingsError("OIDC_ISSUER is set, but OIDC_CLIENT_ID or OIDC_CLIENT_SECRET is not.")
    if bool(settings.lex_bot_id) != bool(settings.lex_bot_alias_id):
        raise SettingsError("LEX_BOT_ID and LEX_BOT_ALIAS_ID belong together; set both or none.")
    if settings.mail_from.count("@") != 1:  # "Name <address>" is welcome; the mail adapter looks closer
        raise SettingsError(f"MAIL_FROM: {settings.mail_from!r} is not an e-mail address.")
    if settings.sns_approval_topic_arn and not _TOPIC_ARN.fullmatch(settings.sns_approval_topic_arn):
        raise SettingsError(
            f"SNS_APPROVAL_TOPIC_ARN is not the ARN of a topic; it is {settings.sns_approval_topic_arn!r}.",
            next_step="Set one like arn:aws:sns:us-east-1:123456789012:approvals.",
        )
    _check_sns(settings)
    _check_chaos(settings)
    _check_releases(settings)
    _check_files(settings)
    WorkingHours.parse(settings.working_hours)
    if not re.fullmatch(r"[\w+=,.@-]{1,64}", settings.member_role_name):
        raise SettingsError(f"MEMBER_ROLE_NAME is no name of a role; it is {settings.member_role_name!r}.")
    if settings.smtp_url and urlsplit(settings.smtp_url).scheme not in {"smtp", "smtps"}:
        raise SettingsError("SMTP_URL must start with smtp:// or smtps://.")
    if not settings.is_embedded and not settings.smtp_url and settings.mail_transport == "smtp":
        raise SettingsError(
            "SMTP_URL is not set, and the mail catcher exists only in the embedded default "
            "(AWS_ENDPOINT_URL, HOST and PUBLIC_URL on loopback).",
            next_step="Set SMTP_URL, or MAIL_TRANSPORT=ses.",
        )
    if settings.is_sandbox and not settings.is_embedded and not (settings.uses_oidc or settings.keys):
        raise SettingsError(
            "AWS is the sandbox, but HOST or PUBLIC_URL is not loopback: the development user, keyless REST "
            "and /dev/mail would be open to others.",
            next_step="Listen on 127.0.0.1, or set OIDC_ISSUER or API_KEYS.",
        )
    if len({key.secret for key in settings.keys}) < len(settings.keys):
        raise SettingsError("API_KEYS holds the same key twice.", next_step="Give each owner a key of its own.")
    _check_audit(settings)
    check_slack(settings)
    check_teams(settings)
    _check_own_addresses(settings)


_TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,251}(\.fifo|[A-Za-z0-9_-]{0,5})")


def _check_sns(settings: Settings) -> None:
    """Refuse topics that are none, and hosts that somebody else may have; raises SettingsError."""
    for topic in settings.sns_allowed_topics:
        if not _TOPIC_ARN.fullmatch(topic):
            raise SettingsError(
                f"SNS_ALLOWED_TOPICS: {topic!r} is not the ARN of a topic.",
                next_step="Write ARNs like arn:aws:sns:us-east-1:123456789012:insights.",
            )
    for host in settings.sns_cert_hosts:
        if settings.is_sandbox and is_loopback_host(urlsplit(f"//{host}").hostname or ""):
            continue
        if not re.fullmatch(r"(?=[^*]*\*?[^*]*$)[a-z0-9*-]+(\.[a-z0-9-]+|\.\*)*\.amazonaws\.com(\.cn)?", host):
            raise SettingsError(
                f"SNS_CERT_HOSTS: {host!r} is no host of SNS: who has it could sign whatever they like.",
                next_step=f"Leave it out, which means {' and '.join(SNS_HOSTS)}.",
            )


def _check_chaos(settings: Settings) -> None:
    """Refuse roles for experiments that are none; raises SettingsError."""
    for run in settings.chaos_runs:
        if not re.fullmatch(r"[^:]+:EXT[0-9A-Za-z]{1,61}", run):
            raise SettingsError(
                f"CHAOS_RUNS: {run!r} does not bind an owner of a key to a template.",
                next_step="Write entries like pipelines:EXT1a2b3c4d5e6f7.",
            )
    for role in settings.chaos_role_arn:
        if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}", role):
            raise SettingsError(
                f"CHAOS_ROLE_ARN: {role!r} is not the ARN of a role.",
                next_step="Write ARNs like arn:aws:iam::123456789012:role/QuartermasterChaos.",
            )


def _check_releases(settings: Settings) -> None:
    """Refuse a role or hosts of releases that are none; raises SettingsError."""
    role = settings.toolchain_role_arn
    if role and not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}", role):
        raise SettingsError(
            f"TOOLCHAIN_ROLE_ARN: {role!r} is not the ARN of a role.",
            next_step="Write one like arn:aws:iam::123456789012:role/QuartermasterToolchain.",
        )
    if settings.deployment_project and settings.deployment_template:
        raise SettingsError(
            "DEPLOYMENT_PROJECT and DEPLOYMENT_TEMPLATE are both set: pipelines are made by one of them.",
            next_step="Unset one.",
        )
    if settings.deployment_project and not re.fullmatch(
        r"[A-Za-z0-9][A-Za-z0-9_-]{1,149}", settings.deployment_project
    ):
        raise SettingsError(
            f"DEPLOYMENT_PROJECT: {settings.deployment_project!r} is not the name of a CodeBuild project.",
            next_step="Write one like deployment-provisioning.",
        )
    if settings.deployment_table and not re.fullmatch(r"[A-Za-z0-9_.-]{3,255}", settings.deployment_table):
        raise SettingsError(
            f"DEPLOYMENT_TABLE: {settings.deployment_table!r} is not the name of a DynamoDB table.",
            next_step="Write one like saas-deployments, without account and Region.",
        )
    if settings.deployment_table and not settings.deployment_ous:
        raise SettingsError(
            "DEPLOYMENT_TABLE is set, but DEPLOYMENT_OUS is not: none of its records could be taken.",
            next_step="Name the OUs whose accounts may be deployed into.",
        )
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", settings.deployment_component):
        raise SettingsError(
            f"DEPLOYMENT_COMPONENT: {settings.deployment_component!r} is no component.",
            next_step="Write one like checkout.",
        )
    if settings.deployment_template:
        try:
            size = len(Path(settings.deployment_template).read_bytes())
        except OSError as error:
            raise SettingsError(
                f"DEPLOYMENT_TEMPLATE: {settings.deployment_template!r} can't be read: {error.strerror}.",
                next_step="Name a file with a CloudFormation template.",
            ) from error
        if not 0 < size <= 51_200:
            raise SettingsError(
                f"DEPLOYMENT_TEMPLATE: {settings.deployment_template!r} has {size} bytes.",
                next_step="CloudFormation takes templates from 1 to 51,200 bytes.",
            )
    if settings.release_events_queue and not re.fullmatch(r"https?://\S{1,500}", settings.release_events_queue):
        raise SettingsError(
            f"RELEASE_EVENTS_QUEUE: {settings.release_events_queue!r} is not the URL of a queue.",
            next_step="Write one like https://sqs.us-east-1.amazonaws.com/123456789012/releases.",
        )
    for host in settings.release_check_hosts:
        if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?", host):
            raise SettingsError(
                f"RELEASE_CHECK_HOSTS: {host!r} is no host.", next_step="Write hosts like status.corp.example."
            )


def _check_audit(settings: Settings) -> None:
    """Refuse keys that are none, and a bucket without a key to sign with; raises SettingsError."""
    from bot.audit.anchors import Ed25519Signer, public_keys  # only here: what signs is slow to load

    public_keys(settings.audit_public_keys)
    if settings.audit_signing_key:
        Ed25519Signer.of(settings.audit_signing_key)
    elif settings.audit_anchor_bucket and not settings.audit_public_keys:
        raise SettingsError(
            "AUDIT_ANCHOR_BUCKET is set, but AUDIT_SIGNING_KEY is not: an anchor that nobody signed proves nothing.",
            next_step="Make a key: python -m bot audit key",
        )
    bucket = settings.audit_anchor_bucket
    if bucket and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
        raise SettingsError(f"AUDIT_ANCHOR_BUCKET is no name of a bucket; it is {bucket!r}.")


def _check_files(settings: Settings) -> None:
    """Refuse a path that was set and leads nowhere: a slip would silently mean other rules."""
    for name in ("house_file", "directory_file", "policy_dir"):
        path: Path = getattr(settings, name)
        if name in settings.model_fields_set and not path.exists():
            raise SettingsError(f"{name.upper()} is set to {path}, which does not exist.")


def _check_own_addresses(settings: Settings) -> None:
    """Refuse the example's addresses for anything but the sandbox; raises SettingsError."""
    if settings.is_sandbox:
        return
    if not settings.approvers and not Directory(settings.directory_file, ()).names_approvers:
        raise SettingsError(
            "APPROVERS is not set, and the directory file names nobody to ask (approvals:).",
            next_step="Set APPROVERS to the addresses of those who approve.",
        )
    if "mail_from" not in settings.model_fields_set:
        raise SettingsError("MAIL_FROM is not set.", next_step="Set it to an address that you may send from.")
