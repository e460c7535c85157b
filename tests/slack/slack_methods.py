"""What Slack's documentation says each method and event that we use needs, on a bot's token."""

from __future__ import annotations

METHODS: dict[str, frozenset[str]] = {
    name: frozenset(scopes.split())
    for name, scopes in {
        "apps_connections_open": "",  # connections:write, on the app-level token
        "assistant_threads_setStatus": "chat:write",
        "assistant_threads_setSuggestedPrompts": "assistant:write",
        "assistant_threads_setTitle": "assistant:write",
        "auth_revoke": "",
        "auth_test": "",
        "chat_appendStream": "chat:write",
        "chat_delete": "chat:write",
        "chat_getPermalink": "",
        "chat_postEphemeral": "chat:write",
        "chat_postMessage": "chat:write",
        "chat_startStream": "chat:write",
        "chat_stopStream": "chat:write",
        "chat_stream": "chat:write",
        "chat_update": "chat:write",
        # Each kind of conversation has its own; group messages (mpim) are not looked into.
        "conversations_history": "channels:history groups:history im:history",
        "conversations_info": "channels:read groups:read",
        "conversations_list": "channels:read",  # of public channels alone
        "conversations_open": "im:write",
        "conversations_replies": "channels:history groups:history im:history",
        "files_upload_v2": "files:write",
        "oauth_v2_access": "",
        "usergroups_list": "usergroups:read",
        "usergroups_users_list": "usergroups:read",
        "users_info": "users:read users:read.email",
        "users_lookupByEmail": "users:read.email",
        "views_open": "",
        "views_publish": "",
        "views_push": "",
        "views_update": "",
    }.items()
}

EVENTS: dict[str, str] = {
    "app_home_opened": "",
    "app_mention": "app_mentions:read",
    "app_uninstalled": "",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "tokens_revoked": "",
}

OTHER_EVENTS = """
app_context_changed app_deleted app_installed app_rate_limited app_requested
app_uninstalled_team assistant_thread_started
assistant_thread_context_changed call_rejected channel_archive channel_created channel_deleted
channel_history_changed channel_id_changed channel_left channel_rename channel_shared channel_unarchive
channel_unshared dnd_updated dnd_updated_user email_domain_changed emoji_changed entity_details_requested file_change
file_comment_deleted file_created file_deleted file_public file_shared file_unshared function_executed
grid_migration_finished grid_migration_started group_archive group_close group_deleted group_history_changed
group_left group_open group_rename group_unarchive im_close im_created im_history_changed im_open invite_requested
link_shared member_joined_channel member_left_channel message_metadata_deleted message_metadata_posted
message_metadata_updated pin_added pin_removed reaction_added reaction_removed scope_denied scope_granted
shared_channel_invite_accepted shared_channel_invite_approved shared_channel_invite_declined
shared_channel_invite_received shared_channel_invite_requested star_added star_removed subteam_created
subteam_members_changed subteam_self_added subteam_self_removed subteam_updated team_access_granted
team_access_revoked team_domain_change team_join team_rename user_change user_huddle_changed user_profile_changed
user_status_changed workflow_step_execute
""".split()
"""Events that Slack has and the bot has no use for."""
