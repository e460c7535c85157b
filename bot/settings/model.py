"""Settings from the environment, validated at start.

Every name is documented in the README's table (a test holds the two together). Wrong or unsafe
combinations raise SettingsError, which says which setting and what would do.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import SettingsError
from bot.settings.checks import check
from bot.settings.hosts import is_loopback_host
from bot.settings.kinds import SANDBOX_TOPICS, SNS_HOSTS, Address, Addresses, CommaList, Providers, Receivers


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
    groups_minutes: float = Field(
        5,
        ge=1,
        le=24 * 60,
        description="Minutes between readings of groups that directory.yml says are kept elsewhere.",
    )
    groups_keep_hours: float = Field(
        12, gt=0, le=24 * 7, description="Hours for which their last reading counts while its source does not answer."
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
    teams_graph_url: str = Field(
        "https://graph.microsoft.com", description="Base of Microsoft Graph, which tells who is in a group of Entra."
    )
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
    toolchain_role_arn: str = Field("", description="Role to assume where the pipelines of deployments are.")
    toolchain_region: str = Field("", description="Region of those pipelines; AWS_REGION when unset.")
    deployment_ous: CommaList = Field(
        (), description="OUs, by path or id, into whose accounts versions are rolled out; unset means no roll-outs."
    )
    deployment_project: str = Field(
        "", description="CodeBuild project that makes a deployment's pipeline, or retires it (or DEPLOYMENT_TEMPLATE)."
    )
    deployment_template: str = Field(
        "", description="File with the CloudFormation template of a deployment's pipeline (or DEPLOYMENT_PROJECT)."
    )
    deployment_table: str = Field(
        "", description="DynamoDB table, where the pipelines are, that is master of the registry of deployments."
    )
    deployment_component: str = Field(
        "", description="Component of that table's records that name none; saas when unset."
    )
    release_parallel: int = Field(
        20, ge=1, le=1_000, description="Deployments of a wave that are changed at once, unless a roll-out says so."
    )
    release_events_queue: str = Field(
        "",
        description="URL of the SQS queue that EventBridge's events of pipelines go to; without, runs are looked at.",
    )
    release_check_hosts: CommaList = Field(
        (), description="Hosts that an HTTP check between waves may ask; none when unset."
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
        if not self.deployment_ous and self.is_sandbox:
            fill["deployment_ous"] = ("Workloads", "Demos", "Sandbox", "Experiment")
        if not self.deployment_project and not self.deployment_template and self.is_sandbox:
            fill["deployment_project"] = "deployment-provisioning"
        if not self.deployment_component:
            fill["deployment_component"] = "shop" if self.is_sandbox else "saas"
        if not self.toolchain_region:
            # The sandbox's pipelines have one home, whatever Region the developer's shell names.
            fill["toolchain_region"] = "us-east-1" if self.is_sandbox else self.aws_region
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
