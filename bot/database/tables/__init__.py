"""Every table, in the order of a message's way: inbox, session, request, approval, step, outbox, audit."""

from __future__ import annotations

from bot.database.tables.audit import audit, audit_head, audit_holds, audit_payloads
from bot.database.tables.base import UtcDateTime, metadata
from bot.database.tables.people import api_keys, console_sessions, fresh_sign_ins, identities, identity_claims, people
from bot.database.tables.releases import component_locks, deployments, rollout_targets, rollouts
from bot.database.tables.replicas import idempotency, keepsakes, leases, replicas
from bot.database.tables.requests import (
    approval_tokens,
    approvals,
    broken_glass,
    delegations,
    requests,
    steps,
    touched,
    waits,
)
from bot.database.tables.schedules import schedules
from bot.database.tables.slack import slack_bots, slack_homes, slack_installations, slack_oauth_states, slack_streams
from bot.database.tables.talk import card_copies, conversations, inbox, messages, misses, outbox, sessions
from bot.database.tables.watches import held_news, mutes, standing_cards, watches

__all__ = [
    "UtcDateTime",
    "api_keys",
    "approval_tokens",
    "approvals",
    "audit",
    "audit_head",
    "audit_holds",
    "audit_payloads",
    "broken_glass",
    "card_copies",
    "component_locks",
    "console_sessions",
    "conversations",
    "delegations",
    "deployments",
    "fresh_sign_ins",
    "held_news",
    "idempotency",
    "identities",
    "identity_claims",
    "inbox",
    "keepsakes",
    "leases",
    "messages",
    "metadata",
    "misses",
    "mutes",
    "outbox",
    "people",
    "replicas",
    "requests",
    "rollout_targets",
    "rollouts",
    "schedules",
    "sessions",
    "slack_bots",
    "slack_homes",
    "slack_installations",
    "slack_oauth_states",
    "slack_streams",
    "standing_cards",
    "steps",
    "touched",
    "waits",
    "watches",
]
