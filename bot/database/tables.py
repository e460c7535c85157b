"""Every table, in the order of a message's way: inbox, session, request, approval, step, outbox, audit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime on every database; SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; a naive datetime is a programming error."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the value as aware UTC."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite only auto-increments a column declared INTEGER PRIMARY KEY.
BigSerial = BigInteger().with_variant(Integer, "sqlite")

people = Table(
    "people",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("email", String(320), nullable=False, unique=True),
    Column("name", String(200), nullable=False, server_default=""),
    Column("given_name", String(200), nullable=False, server_default=""),
    Column("family_name", String(200), nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
)

identities = Table(
    "identities",
    metadata,
    Column("channel", String(40), primary_key=True),
    Column("platform_id", String(255), primary_key=True),
    Column("person_id", ForeignKey("people.id"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
)

identity_claims = Table(
    "identity_claims",
    metadata,
    Column("channel", String(40), primary_key=True),
    Column("platform_id", String(255), primary_key=True),
    Column("email", String(320), nullable=False),
    Column("code_hash", String(64), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
"""Addresses that people of a platform say are theirs, until the code that was mailed there comes back."""

inbox = Table(
    "inbox",
    metadata,
    Column("seq", BigSerial, primary_key=True, autoincrement=True),
    Column("key", String(255), nullable=False, unique=True),
    Column("conversation", String(255), nullable=False),
    Column("body", JSON, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("owner", String(64)),
    Column("leased_until", UtcDateTime),
    Column("done_at", UtcDateTime),
    Column("request_id", String(40)),
    Column("error", Text),
    Index("ix_inbox_undone", "done_at", "leased_until"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("channel", String(40), nullable=False),
    Column("owner", String(64), nullable=False, server_default=""),
    Column("address", JSON, nullable=False),
    Column("person_id", String(40), nullable=False, server_default=""),
    Column("updated_at", UtcDateTime, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("conversation", String(255), primary_key=True),
    Column("person_id", String(40), primary_key=True),
    Column("state", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("seq", BigSerial, primary_key=True, autoincrement=True),
    Column("conversation", String(255), nullable=False),
    Column("role", String(10), nullable=False),
    Column("text", Text, nullable=False),
    Column("card", JSON),
    Column("inbox_key", String(255)),
    Column("request_id", String(40)),
    Column("notice", String(255), unique=True),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_messages_conversation_seq", "conversation", "seq"),
    Index("ix_messages_inbox_key", "inbox_key"),
)

requests = Table(
    "requests",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("intent", String(100), nullable=False),
    Column("state", String(30), nullable=False),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("owner", String(64), nullable=False, server_default=""),
    Column("conversation", String(255), nullable=False),
    Column("parent_id", String(40)),
    Column("tier", String(30), nullable=False),
    Column("slots", JSON, nullable=False),
    Column("plan", JSON, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("outcome", JSON),
    Column("expires_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_requests_created_at_id", "created_at", "id"),
    Index("ix_requests_person_id_created_at", "person_id", "created_at"),
    Index("ix_requests_state_created_at_id", "state", "created_at", "id"),
    Index("ix_requests_intent_created_at_id", "intent", "created_at", "id"),
    Index("ix_requests_state_intent_created_at_id", "state", "intent", "created_at", "id"),
)

touched = Table(
    "touched",
    metadata,
    Column("request_id", ForeignKey("requests.id"), primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("resource", String(255), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_touched_kind_resource", "kind", "resource"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("request_id", ForeignKey("requests.id"), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("approver", String(320), nullable=False),
    Column("decision", String(10)),
    Column("reason", Text),
    Column("surface", String(40)),
    Column("policy", String(200)),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("in_place_of", String(320)),
    UniqueConstraint("request_id", "version", "approver"),
    Index(
        "ix_approvals_open_by_approver",
        "approver",
        "request_id",
        sqlite_where=text("decision IS NULL"),
        postgresql_where=text("decision IS NULL"),
    ),
)
"""One row for each who was asked or has decided; `in_place_of` names for whom they stand in, null for themselves."""

delegations = Table(
    "delegations",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("approver", String(320), nullable=False, index=True),
    Column("delegate", String(320), nullable=False, index=True),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
)
"""Who is away from when to when, and who stands in; `delegate` is empty where nobody does."""

fresh_sign_ins = Table(
    "fresh_sign_ins",
    metadata,
    Column("session", String(64), primary_key=True),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("acr", String(200), nullable=False),
)
"""When somebody last proved at the identity provider who they are, by digest of the session in which they did."""

broken_glass = Table(
    "broken_glass",
    metadata,
    Column("request_id", ForeignKey("requests.id"), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("by", String(320), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("reviewed_by", String(320)),
    Column("reviewed_at", UtcDateTime),
    Column("verdict", Text),
)
"""Requests that went on without their approvals, and the review that each of them needs afterwards."""

approval_tokens = Table(
    "approval_tokens",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("approval_id", ForeignKey("approvals.id"), nullable=False, index=True),
    Column("minted_at", UtcDateTime, nullable=False),
)
"""One row for each mail sent: a token exists in clear only in the mail itself."""

steps = Table(
    "steps",
    metadata,
    Column("seq", BigSerial, primary_key=True, autoincrement=True),
    Column("request_id", ForeignKey("requests.id"), nullable=False),
    Column("name", String(100), nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text),
    Column("aws_request_ids", JSON, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    UniqueConstraint("request_id", "name"),
)

card_copies = Table(
    "card_copies",
    metadata,
    Column("channel", String(40), primary_key=True),
    Column("place", String(255), primary_key=True),
    Column("request_id", ForeignKey("requests.id"), nullable=False, index=True),
    Column("conversation", String(255), nullable=False, server_default=""),
    Column("audience", String(20), nullable=False),
    Column("said", Text, nullable=False, server_default=""),
    Column("shown", String(64), nullable=False, server_default=""),
)
"""Where copies of a request's card stand on a channel that updates them in place; `shown` is a digest of the newest."""

waits = Table(
    "waits",
    metadata,
    Column("seq", BigSerial, primary_key=True, autoincrement=True),
    Column("request_id", ForeignKey("requests.id"), nullable=False, index=True),
    Column("kind", String(60), nullable=False),
    Column("key", String(255), nullable=False),
    Column("segment", String(60), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("noticed", Boolean, nullable=False),
    Column("done_at", UtcDateTime),
    Index("ix_waits_done_at_due_at", "done_at", "due_at"),
)

_UNFINISHED = text("sent_at IS NULL AND given_up_at IS NULL")

outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigSerial, primary_key=True, autoincrement=True),
    Column("key", String(255), nullable=False, unique=True),
    Column("channel", String(40), nullable=False),
    Column("pace", String(255), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("owner", String(64)),
    Column("leased_until", UtcDateTime),
    Column("sent_at", UtcDateTime),
    Column("given_up_at", UtcDateTime),
    Column("error", Text),
    Index("ix_outbox_unfinished", "pace", "seq", sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigSerial, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("kind", String(60), nullable=False),
    Column("person_id", String(40), nullable=False),
    Column("request_id", String(40), nullable=False),
    Column("payload_digest", String(64), nullable=False),
    Column("position", BigInteger, unique=True),
    Column("hash", String(64)),
    Index("ix_audit_person_id_seq", "person_id", "seq"),
    Index("ix_audit_request_id_seq", "request_id", "seq"),
    Index("ix_audit_kind_seq", "kind", "seq"),
)

audit_payloads = Table(
    "audit_payloads",
    metadata,
    Column("seq", ForeignKey("audit.seq"), primary_key=True),
    Column("salt", String(32), nullable=False),
    Column("payload", JSON),
    Column("erased_at", UtcDateTime),
    Index(
        "ix_audit_payloads_kept",
        "seq",
        sqlite_where=text("erased_at IS NULL"),
        postgresql_where=text("erased_at IS NULL"),
    ),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)

audit_holds = Table(
    "audit_holds",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("request_id", String(40), nullable=False),
    Column("person_id", String(40), nullable=False),
    Column("reason", Text, nullable=False),
    Column("placed_at", UtcDateTime, nullable=False),
    Column("lifted_at", UtcDateTime),
)
"""Legal holds: on one request, on all about one person, or (both empty) on everything."""

leases = Table(
    "leases",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("until", UtcDateTime, nullable=False),
)

replicas = Table(
    "replicas",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("load", Float, nullable=False, server_default="0"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("scope", String(255), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("status", Integer),
    Column("body", JSON),
    Column("created_at", UtcDateTime, nullable=False),
)

keepsakes = Table(
    "keepsakes",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("value", Text, nullable=False),
)
"""Single values that every replica shares, such as the key that signs console sessions."""

# The next three are read and written by slack-sdk's stores, so their columns are named as it wants them, and its
# moments are naive UTC. Tokens are kept sealed, which makes them longer.
slack_installations = Table(
    "slack_installations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("client_id", String(64), nullable=False),
    Column("app_id", String(32), nullable=False),
    Column("enterprise_id", String(32)),
    Column("enterprise_name", String(200)),
    Column("enterprise_url", String(200)),
    Column("team_id", String(32)),
    Column("team_name", String(200)),
    Column("bot_token", Text),
    Column("bot_id", String(32)),
    Column("bot_user_id", String(32)),
    Column("bot_scopes", Text),
    Column("bot_refresh_token", Text),
    Column("bot_token_expires_at", DateTime),
    Column("user_id", String(32), nullable=False),
    Column("user_token", Text),
    Column("user_scopes", Text),
    Column("user_refresh_token", Text),
    Column("user_token_expires_at", DateTime),
    Column("incoming_webhook_url", Text),
    Column("incoming_webhook_channel", String(200)),
    Column("incoming_webhook_channel_id", String(200)),
    Column("incoming_webhook_configuration_url", Text),
    Column("is_enterprise_install", Boolean, nullable=False),
    Column("token_type", String(32)),
    Column("installed_at", DateTime, nullable=False),
    Index("ix_slack_installations_place", "client_id", "enterprise_id", "team_id", "installed_at"),
)

slack_bots = Table(
    "slack_bots",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("client_id", String(64), nullable=False),
    Column("app_id", String(32), nullable=False),
    Column("enterprise_id", String(32)),
    Column("enterprise_name", String(200)),
    Column("team_id", String(32)),
    Column("team_name", String(200)),
    Column("bot_token", Text),
    Column("bot_id", String(32)),
    Column("bot_user_id", String(32)),
    Column("bot_scopes", Text),
    Column("bot_refresh_token", Text),
    Column("bot_token_expires_at", DateTime),
    Column("is_enterprise_install", Boolean, nullable=False),
    Column("installed_at", DateTime, nullable=False),
    Index("ix_slack_bots_place", "client_id", "team_id", "enterprise_id", "installed_at"),
)

slack_streams = Table(
    "slack_streams",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("channel", String(40), nullable=False),
    Column("ts", String(40), nullable=False),
    Column("replica", String(64), nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("used_by", String(255), nullable=False),
)
"""Streamed answers by the activity that they answer; `ts` is empty until Slack has told it, `used_by` names the outbox
row whose message took the stream's place."""

slack_homes = Table(
    "slack_homes",
    metadata,
    Column("team", String(40), primary_key=True),
    Column("user", String(40), primary_key=True),
    Column("person_id", ForeignKey("people.id"), nullable=False, index=True),
    Column("address", JSON, nullable=False),
    Column("hash", String(100), nullable=False),
    Column("shown", String(64), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
)
"""Home tabs that were opened, which are drawn anew when something in them moves; `shown` is a digest of the newest."""

misses = Table(
    "misses",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("sealed", Text, nullable=False),
)
"""Sentences that were not understood, masked and sealed; gone after 30 days."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("person_id", ForeignKey("people.id"), nullable=False, index=True),
    Column("name", String(60), nullable=False),
    Column("begins", String(12), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)
"""People's own REST keys, by digest; `begins` is how the key begins, for people to tell theirs apart."""

console_sessions = Table(
    "console_sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("person_id", ForeignKey("people.id"), nullable=False, index=True),
    Column("way", String(10), nullable=False),
    Column("issuer", String(255), nullable=False),
    Column("browser", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("ended_at", UtcDateTime),
)
"""Browsers' sessions; `id` is the SHA-256 of the token that only the cookie holds. Moments are real time."""

slack_oauth_states = Table(
    "slack_oauth_states",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("state", String(200), nullable=False, unique=True),
    Column("expire_at", DateTime, nullable=False),
)
"""Installations under way: the state that Slack hands back must be one of these."""

watches = Table(
    "watches",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("room", String(255), nullable=False, index=True),
    Column("room_name", String(200), nullable=False),
    Column("words", Text, nullable=False),
    Column("scope", JSON, nullable=False),
    Column("quiet", JSON),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
)
"""What is told of the bot's own accord: where (a conversation's id), about what, and when it keeps quiet."""

standing_cards = Table(
    "standing_cards",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("room", String(255), nullable=False),
    Column("thread", String(255), nullable=False, server_default=""),
    Column("place", String(255), nullable=False, server_default=""),
    Column("shown", String(64), nullable=False, server_default=""),
    Column("state", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
"""Cards about what goes on by itself; the message of that notice is the card, `thread` the conversation below it."""

mutes = Table(
    "mutes",
    metadata,
    Column("room", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("until", UtcDateTime, nullable=False),
)
"""What a room does not want to hear of for a while."""

held_news = Table(
    "held_news",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("watch_id", ForeignKey("watches.id"), nullable=False, index=True),
    Column("subject", String(255), nullable=False),
    Column("words", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("told_at", UtcDateTime),
)
"""What was held back in quiet hours and while it was muted, until it is told as a summary."""
