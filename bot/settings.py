"""Settings from the environment, validated at start.

Every name is documented in the README's table (a test holds the two together). Wrong or unsafe
combinations raise SettingsError, which says which setting and what would do.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.directory import Directory, checked_address
from bot.errors import SettingsError
from bot.hours import WorkingHours


def _listed(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _addresses(listed: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(checked_address(address) for address in listed))


CONVERSATION = "conversation:"
"""How REPORT_TO marks the id of a conversation, such as a channel's; what has no mark is an address."""


def _receivers(listed: tuple[str, ...]) -> tuple[str, ...]:
    for receiver in listed:
        if receiver.startswith(CONVERSATION) and not re.fullmatch(r"\S{1,255}", receiver.removeprefix(CONVERSATION)):
            raise ValueError(f"{receiver!r} names no conversation; write {CONVERSATION} and its id")
    found = (r if r.startswith(CONVERSATION) else checked_address(r) for r in listed)
    return tuple(dict.fromkeys(found))


SNS_HOSTS = ("sns.*.amazonaws.com", "sns.*.amazonaws.com.cn")
SANDBOX_TOPICS = tuple(
    f"arn:aws:sns:{region}:333344445555:quartermaster-insights" for region in ("us-east-1", "eu-central-1")
)
"""The topics to which DevOps Guru publishes in the sandbox, of its delegated administrator."""

CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
Addresses = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_addresses)]
Receivers = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_receivers)]
Address = Annotated[str, AfterValidator(checked_address)]
INSIGHT_PROVIDERS = ("devops-guru", "cloudwatch")


def _providers(listed: tuple[str, ...]) -> tuple[str, ...]:
    for name in listed:
        if name not in INSIGHT_PROVIDERS:
            raise ValueError(f"{name!r} is none of {' and '.join(INSIGHT_PROVIDERS)}")
    if not listed:
        raise ValueError(f"name {' or '.join(INSIGHT_PROVIDERS)}, or both")
    return tuple(dict.fromkeys(listed))


Providers = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_providers)]


class Settings(BaseSettings):
    """All settings; frozen. Field names are the environment variables' names in lower case."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, case_sensitive=False)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; sandbox and mail catcher follow.")
    public_url: str = Field("", description="What links say; http://127.0.0.1:$PORT when unset.")
    var_dir: Path = Field(Path("var"), description="Where state lives that is not in DATABASE_URL.")
    database_url: str = Field("", description="sqlite:///… or postgresql://…; SQLite under VAR_DIR when unset.")
    workflow_database_url: str = Field("", description="Database of the workflow engine; beside the other when unset.")

    mode: Literal["live", "observe"] = Field("live", description="observe plans, asks, shows and changes nothing.")
    house_file: Path = Field(Path("house.yml"), description="Account types, OUs and other rules of the house.")
    directory_file: Path = Field(Path("directory.yml"), description="People, groups, shared mailboxes.")
    policy_dir: Path = Field(Path("policies"), description="Folder of the Cedar policies.")

    api_keys: CommaList = Field((), description="Bearer keys for REST: key[:owner[:domain]].")
    approvers: Addresses = Field(
        ("approver@corp.example",), description="Addresses asked to approve when the directory names nobody else."
    )
    approval_hours: float = Field(48, gt=0, le=24 * 90, description="How long an approval waits.")
    working_hours: str = Field(
        "", description="Hours in which approval time counts: Mon-Fri 09:00-17:00 Europe/Berlin DE-BE."
    )
    root_email_domains: CommaList = Field((), description="Domains that root addresses may have; any when unset.")
    account_name_pattern: str = Field("", description="Regular expression that a whole account name must match.")
    extra_slots: CommaList = Field((), description="What is asked after the first three questions: owner, cost centre.")

    smtp_url: str = Field("", description="smtp://user:password@host:port or smtps://…; the mail catcher when unset.")
    mail_from: str = Field("quartermaster@corp.example", description="Sender of mails.")
    mail_transport: Literal["smtp", "ses"] = Field("smtp", description="ses sends through the SES API (sesv2).")
    sns_approval_topic_arn: str = Field("", description="SNS topic that gets a notice of each approval.")

    slack_signing_secret: str = Field(
        "", description="Signing secret of the Slack app; POST /slack/events is off without it."
    )
    slack_bot_token: str = Field(
        "", description="Bot token (xoxb-…) of the one workspace that is served without OAuth."
    )
    slack_app_token: str = Field("", description="App-level token (xapp-…): events come over Socket Mode.")
    slack_client_id: str = Field(
        "", description="Client id of the Slack app, to be installed into workspaces by OAuth."
    )
    slack_client_secret: str = Field("", description="Client secret of the Slack app.")
    slack_api_url: str = Field("https://slack.com/api/", description="Base of Slack's Web API.")
    slack_allowed_teams: CommaList = Field(
        (), description="Ids of the workspaces that are served when installed by OAuth."
    )
    slack_token_key: CommaList = Field(
        (), description="Keys that seal the tokens of workspaces: 32 bytes in base64 each, the newest first."
    )
    misses_key: str = Field(
        "",
        description="What seals the sentences that were not understood, kept 30 days for `lex misses`: 32 bytes in "
        "base64. Unset, the embedded default makes a key of its own, and others keep none of them.",
    )
    slack_approvals_channel: str = Field(
        "",
        description="Id of the Slack channel that gets what waits for approval; unset, approvers get direct messages.",
    )
    slack_pace: float = Field(
        1.0, ge=0, le=60, description="Seconds between messages to one Slack channel, after a few at once."
    )

    teams_app_id: str = Field("", description="Id of the bot's app in Entra; POST /api/messages is off without it.")
    teams_app_secret: str = Field("", description="Client secret of that app.")
    teams_app_certificate: Path | None = Field(
        None, description="PEM file with that app's certificate and its private key, instead of a secret."
    )
    teams_federated_token_file: Path | None = Field(
        None, description="File with a workload's own token that the app trusts, instead of a secret."
    )
    teams_identity_url: str = Field(
        "", description="Token endpoint of the managed identity that the app is, instead of a secret."
    )
    teams_identity_header: str = Field("", description="What App Service wants as X-IDENTITY-HEADER there.")
    teams_tenant_id: str = Field("", description="Id of the tenant that the app belongs to.")
    teams_allowed_tenants: CommaList = Field(
        (), description="Ids of the tenants that are served; TEAMS_TENANT_ID alone when unset."
    )
    teams_openid_url: str = Field(
        "https://login.botframework.com/v1/.well-known/openidconfiguration",
        description="OpenID metadata with the keys that sign what Teams sends.",
    )
    teams_login_url: str = Field("https://login.microsoftonline.com/", description="Base of Entra's token endpoint.")
    teams_service_urls: CommaList = Field(
        ("https://smba.trafficmanager.net/",), description="Bases of the services that messages may be sent through."
    )
    teams_approvals_channel: str = Field(
        "",
        description="Id of the Teams channel (19:…) that gets what waits for approval; unset, approvers get chats.",
    )

    report_to: Receivers = Field(
        (), description="Who gets the monthly report by itself: addresses, and conversation:id for channels."
    )

    sns_allowed_topics: CommaList = Field(
        (), description="ARNs of the SNS topics that may post to /sns, which is off without; the sandbox's there."
    )
    sns_cert_hosts: CommaList = Field(
        (),
        description="Hosts that are SNS, for its certificates and confirmations; * is the topic's Region. "
        "sns.*.amazonaws.com and sns.*.amazonaws.com.cn when unset, in the sandbox the sandbox's.",
    )
    sns_subscribe: bool = Field(
        False, description="Whether PUBLIC_URL/sns is subscribed to those topics at start; make run does it."
    )

    insight_cause_minutes: float = Field(
        60, gt=0, le=24 * 60, description="Minutes after a request of ours in which an insight is tied to it."
    )

    aws_endpoint_url: str = Field("", description="As the AWS SDKs read it; loopback means: AWS is the sandbox.")
    aws_region: str = Field("us-east-1", description="Region of calls that name none.")
    control_tower_region: str = Field("", description="Home Region of Control Tower; AWS_REGION when unset.")
    management_role_arn: str = Field("", description="Role to assume in the management account.")
    insights_role_arn: str = Field(
        "", description="Role to assume in DevOps Guru's delegated administrator; the management role when unset."
    )
    chaos_role_arn: CommaList = Field(
        (), description="Roles to assume where experiment templates are, one an account; unset means no experiments."
    )
    chaos_regions: CommaList = Field((), description="Regions with experiment templates; AWS_REGION when unset.")
    chaos_runs: CommaList = Field(
        (), description="Which templates REST keys may run: owner:template id, an entry for each pair."
    )
    chaos_lease_minutes: float = Field(
        15, ge=1, le=720, description="After how many minutes somebody must say that a production experiment goes on."
    )
    insight_providers: Providers = Field(
        ("devops-guru",), description="Who tells of insights: devops-guru, cloudwatch, or both."
    )
    member_role_name: str = Field(
        "AWSControlTowerExecution", description="Role to assume inside member accounts, from the management role."
    )
    control_tower_capacity: int = Field(5, ge=1, le=10, description="Account operations at once in Control Tower.")

    lex_bot_id: str = Field("", description="Lex V2 bot; unset means the embedded engine.")
    lex_bot_alias_id: str = Field("", description="Alias of the Lex bot.")
    lex_locale_id: str = Field("en_US", description="Locale of the Lex bot.")
    lex_region: str = Field("", description="Region of the Lex bot; AWS_REGION when unset.")
    lex_timeout: float = Field(2.0, gt=0, le=25, description="Seconds until the embedded engine answers instead.")
    lex_concurrency: int = Field(
        0, ge=0, le=1_000, description="Turns asked of Lex at once; 0 means its quota: 2 on the test alias, else 50."
    )

    oidc_issuer: str = Field("", description="OpenID Connect issuer for console sign-in.")
    oidc_client_id: str = Field("", description="Client id at the issuer.")
    oidc_client_secret: str = Field("", description="Client secret at the issuer.")
    dev_user: Address = Field("you@corp.example", description="Development user of the console, loopback only.")

    audit_signing_key: str = Field(
        "", description="Key that signs the record's anchors: 32 bytes in base64 (ed25519); none are made without."
    )
    audit_public_keys: CommaList = Field(
        (), description="Public keys of former or other signers, for verifying: 32 bytes in base64 each."
    )
    audit_anchor_bucket: str = Field("", description="S3 bucket with object lock that gets the anchors.")
    audit_anchor_prefix: str = Field("quartermaster/", description="How the anchors' keys begin.")
    audit_anchor_region: str = Field("", description="Region of that bucket; AWS_REGION when unset.")
    audit_anchor_mode: Literal["COMPLIANCE", "GOVERNANCE"] = Field(
        "COMPLIANCE", description="Retention mode of the anchors; COMPLIANCE binds even the account's root user."
    )
    audit_anchor_days: int = Field(3_653, ge=1, le=36_500, description="Days that S3 keeps each anchor.")
    audit_anchor_minutes: int = Field(60, ge=1, le=24 * 60, description="Minutes between anchors.")
    audit_keep_days: int = Field(
        0, ge=0, le=36_500, description="Days after which the record's payloads are erased; 0 keeps them for good."
    )

    otel_exporter_otlp_endpoint: str = Field("", description="Where traces go; unset means no traces.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    sandbox_speed: float = Field(60, ge=0, le=100_000, description="Simulated seconds per second in the sandbox.")
    nlu_data: str = Field("", description="Folder of corpora for make bench.")

    def model_post_init(self, context: Any) -> None:
        """Fill what follows from other settings."""
        fill: dict[str, Any] = {}
        if not self.public_url:
            fill["public_url"] = f"http://127.0.0.1:{self.port}"
        if not self.database_url:
            fill["database_url"] = f"sqlite:///{self.var_dir / 'quartermaster.sqlite'}"
        if not self.control_tower_region:
            # The sandbox's landing zone has one home, whatever Region the developer's shell names.
            fill["control_tower_region"] = "us-east-1" if self.is_sandbox else self.aws_region
        if not self.teams_allowed_tenants and self.teams_tenant_id:
            fill["teams_allowed_tenants"] = (self.teams_tenant_id,)
        if self.is_sandbox and not self.sns_allowed_topics:
            fill["sns_allowed_topics"] = SANDBOX_TOPICS
        if not self.sns_cert_hosts:
            sandbox = urlsplit(self.aws_endpoint_url).netloc
            fill["sns_cert_hosts"] = (sandbox,) if self.is_sandbox else SNS_HOSTS
        if not self.chaos_role_arn and self.is_sandbox:
            accounts = ("666677778888", "666688889999")  # where the sandbox's seed has templates
            fill["chaos_role_arn"] = tuple(f"arn:aws:iam::{a}:role/QuartermasterChaos" for a in accounts)
        if not self.lex_region:
            fill["lex_region"] = self.aws_region
        if not self.lex_concurrency:
            fill["lex_concurrency"] = 2 if self.lex_bot_alias_id == "TSTALIASID" else 50
        for name, value in fill.items():
            object.__setattr__(self, name, value)

    @cached_property
    def is_sandbox(self) -> bool:
        """Whether AWS is the sandbox: the endpoint is on loopback."""
        return bool(self.aws_endpoint_url) and is_loopback_host(urlsplit(self.aws_endpoint_url).hostname or "")

    @cached_property
    def is_embedded(self) -> bool:
        """Whether the conveniences for newcomers may exist at all: sandbox, and nobody else can reach us.

        Each request is checked on top of this for forwarding headers, see `bot.guard`.
        """
        host = urlsplit(self.public_url).hostname or ""
        return self.is_sandbox and is_loopback_host(self.host) and is_loopback_host(host)

    @cached_property
    def uses_oidc(self) -> bool:
        """Whether the console signs people in at an identity provider."""
        return bool(self.oidc_issuer)

    def member_role(self, account_id: str) -> str:
        """Return the chain of roles that leads into a member account, as `Cloud.call` takes it."""
        member = f"arn:aws:iam::{account_id}:role/{self.member_role_name}"
        return f"{self.management_role_arn}>{member}" if self.management_role_arn else member

    @cached_property
    def uses_slack(self) -> bool:
        """Whether people are served on Slack: there is a way for events to come in, and a token to answer with."""
        comes_in = bool(self.slack_signing_secret or self.slack_app_token)
        return comes_in and bool(self.slack_bot_token or self.slack_client_id)

    @cached_property
    def uses_teams(self) -> bool:
        """Whether people are served on Microsoft Teams."""
        return bool(self.teams_app_id and self.teams_credentials and self.teams_tenant_id)

    @property
    def teams_credentials(self) -> tuple[str, ...]:
        """Names of the settings that say how the Teams app proves itself; one is enough."""
        ways = ("teams_app_secret", "teams_app_certificate", "teams_federated_token_file", "teams_identity_url")
        return tuple(name for name in ways if getattr(self, name))

    @cached_property
    def keys(self) -> tuple[ApiKey, ...]:
        """The REST keys."""
        return tuple(ApiKey.parse(text) for text in self.api_keys)


class ApiKey:
    """A REST bearer key: its owner's name, and the mail domain of those it may speak for (empty: anyone)."""

    def __init__(self, secret: str, owner: str, domain: str) -> None:
        self.secret, self.owner, self.domain = secret, owner, domain

    @staticmethod
    def parse(text: str) -> ApiKey:
        """Parse key[:owner[:domain]]; SettingsError when the key is shorter than 8 characters."""
        secret, _, rest = text.partition(":")
        owner, _, domain = rest.partition(":")
        if len(secret) < 8:
            raise SettingsError("API_KEYS holds a key of fewer than 8 characters.", next_step="Use a long random one.")
        # Two keys without an owner's name must not see each other's requests.
        owner = owner or "key-" + hashlib.sha256(secret.encode()).hexdigest()[:8]
        return ApiKey(secret, owner, domain.casefold().lstrip("@"))

    def may_speak_for(self, email: str) -> bool:
        """Tell whether the key vouches for that (case-folded) address."""
        return not self.domain or email.rpartition("@")[2] == self.domain


def is_near_host(host: str) -> bool:
    """Tell whether a host is loopback or link-local, as clouds' metadata services are."""
    try:
        return is_loopback_host(host) or ipaddress.ip_address(host.strip("[]")).is_link_local
    except ValueError:
        return False


def is_loopback_host(host: str) -> bool:
    """Tell whether a host name or address can only be reached from this machine."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def load_settings(**overrides: Any) -> Settings:
    """Read and check the settings; raises SettingsError that names the setting and what would do."""
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(p) for p in first["loc"][:1]).upper()
        raise SettingsError(f"{name}: {first['msg']} (it is {first['input']!r}).") from error
    if not settings.is_sandbox and "approvers" not in settings.model_fields_set:
        # The default belongs to the sandbox: on real AWS nobody outside the house is ever asked.
        object.__setattr__(settings, "approvers", ())
    check(settings)
    return settings


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
    _check_slack(settings)
    _check_teams(settings)
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


_SLACK_TOKENS = {"slack_bot_token": ("xoxb-", "xoxe.xoxb-"), "slack_app_token": ("xapp-",)}


def _check_slack(settings: Settings) -> None:
    """Refuse settings of Slack that are mixed up or serve nobody; raises SettingsError."""
    for name, beginnings in _SLACK_TOKENS.items():
        if (token := getattr(settings, name)) and not token.startswith(beginnings):
            raise SettingsError(f"{name.upper()} must begin with {beginnings[0]}; this is another kind of token.")
    url = urlsplit(settings.slack_api_url)
    if url.scheme not in {"http", "https"} or not url.hostname or not settings.slack_api_url.endswith("/api/"):
        raise SettingsError(f"SLACK_API_URL must be a URL that ends in /api/; it is {settings.slack_api_url!r}.")
    if url.scheme == "http" and not is_loopback_host(url.hostname):
        raise SettingsError("SLACK_API_URL must be https: tokens are sent there.")
    if bool(settings.slack_client_id) != bool(settings.slack_client_secret):
        raise SettingsError("SLACK_CLIENT_ID and SLACK_CLIENT_SECRET belong together; set both or none.")
    if settings.slack_client_id and not settings.slack_allowed_teams:
        raise SettingsError(
            "SLACK_CLIENT_ID is set, but SLACK_ALLOWED_TEAMS is not: anybody's workspace could install the app.",
            next_step="Set SLACK_ALLOWED_TEAMS to the ids of your workspaces (T…).",
        )
    for team in settings.slack_allowed_teams:
        if not re.fullmatch(r"[TE][A-Z0-9]{2,30}", team):
            raise SettingsError(f"SLACK_ALLOWED_TEAMS: {team!r} is no id of a workspace; they look like T0123ABCD.")
    if (settings.slack_bot_token or settings.slack_client_id) and not (
        settings.slack_signing_secret or settings.slack_app_token
    ):
        raise SettingsError(
            "Slack has a token, but neither SLACK_SIGNING_SECRET nor SLACK_APP_TOKEN is set, so no event could come in."
        )
    if (settings.slack_signing_secret or settings.slack_app_token) and not settings.uses_slack:
        raise SettingsError(
            "Slack events would come in, but neither SLACK_BOT_TOKEN nor SLACK_CLIENT_ID is set to answer them."
        )
    if settings.slack_approvals_channel and not re.fullmatch(r"[CG][A-Z0-9]{2,30}", settings.slack_approvals_channel):
        raise SettingsError(
            f"SLACK_APPROVALS_CHANNEL is no id of a channel; it is {settings.slack_approvals_channel!r}.",
            next_step="Take the id (C…) from the channel's details in Slack, not its name.",
        )


_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _check_teams(settings: Settings) -> None:
    """Refuse settings of Teams that are mixed up or unsafe; raises SettingsError."""
    ways = settings.teams_credentials
    together = {
        "TEAMS_APP_ID": settings.teams_app_id,
        "TEAMS_APP_SECRET": ways,
        "TEAMS_TENANT_ID": settings.teams_tenant_id,
    }
    missing = [name for name, value in together.items() if not value]
    if 0 < len(missing) < len(together):
        raise SettingsError(
            f"Teams has some of its settings, but not {' and '.join(missing)}.",
            next_step="Set TEAMS_APP_ID, TEAMS_APP_SECRET (or what stands in its place) and TEAMS_TENANT_ID, or none.",
        )
    if len(ways) > 1:
        named = " and ".join(name.upper() for name in ways)
        raise SettingsError(f"The Teams app proves itself in one way, but {named} are set.")
    for path in (settings.teams_app_certificate, settings.teams_federated_token_file):
        if path and not path.is_file():
            raise SettingsError(f"{path} does not exist, and the Teams app is to prove itself with it.")
    if settings.teams_approvals_channel and not settings.teams_approvals_channel.startswith("19:"):
        raise SettingsError(
            f"TEAMS_APPROVALS_CHANNEL is no id of a channel; it is {settings.teams_approvals_channel!r}.",
            next_step="Copy the channel's link: the id is the part that begins with 19: (19%3A).",
        )
    ids = [("TEAMS_APP_ID", settings.teams_app_id), ("TEAMS_TENANT_ID", settings.teams_tenant_id)]
    for name, value in ids + [("TEAMS_ALLOWED_TENANTS", tenant) for tenant in settings.teams_allowed_tenants]:
        if value and not _GUID.fullmatch(value):
            raise SettingsError(f"{name}: {value!r} is no id of Entra; they look like {'-'.join(_EXAMPLE)}.")
    if not settings.teams_service_urls:
        raise SettingsError("TEAMS_SERVICE_URLS is empty, so no message could be sent to Teams.")
    urls = [("TEAMS_OPENID_URL", settings.teams_openid_url), ("TEAMS_LOGIN_URL", settings.teams_login_url)]
    for name, value in urls + [("TEAMS_SERVICE_URLS", url) for url in settings.teams_service_urls]:
        url = urlsplit(value)
        if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment or url.username:
            raise SettingsError(f"{name} must be a plain https URL; it is {value!r}.")
        if url.scheme == "http" and not is_loopback_host(url.hostname):
            raise SettingsError(f"{name} must be https: keys come from there, or tokens are sent there.")
    identity = urlsplit(settings.teams_identity_url)
    if settings.teams_identity_url and not (
        identity.scheme == "https" or (identity.scheme == "http" and is_near_host(identity.hostname or ""))
    ):
        raise SettingsError("TEAMS_IDENTITY_URL must be https, or http at an address of the machine's own network.")


_EXAMPLE = ("01234567", "89ab", "cdef", "0123", "456789abcdef")


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
