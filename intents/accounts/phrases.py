"""More of what people say about accounts that exist: slang, courtesies, English learnt late."""

from __future__ import annotations

OWNER = (
    "who is in charge of {Account}",
    "who looks after {Account}",
    "who takes care of account {Account}",
    "whom do I contact about {Account}",
    "who can I talk to about {Account}",
    "do you know who owns {Account}",
    "{Account} belongs to whom",
    "who runs {Account}",
    "which team owns {Account}",
    "I need to know the owner of {Account}",
)
MINE = (
    "what accounts are registered to me",
    "the accounts of mine",
    "give me a list of my AWS accounts",
    "how many accounts do I own",
    "do I own any accounts",
    "am I the owner of any account",
    "every account I am responsible for",
    "which AWS accounts am I responsible for",
    "can you tell me what accounts I've got",
)
OWNERLESS = (
    "are there accounts that nobody is responsible for",
    "find accounts with no owner",
    "unowned accounts",
    "accounts whose owner has left",
    "abandoned accounts",
    "accounts with a missing owner",
    "which accounts are not owned by anyone",
    "accounts no one takes care of",
)
EXPIRING = (
    "what will expire this week",
    "are any accounts about to run out",
    "which sandboxes end soon",
    "how long do my accounts still live",
    "how long is {Account} still valid",
    "until when can I use {Account}",
    "accounts close to their expiry date",
    "is any of my accounts going to be closed soon",
    "how many days are left for {Account}",
    "expiry dates of my accounts",
)
SPEND = (
    "how expensive is {Account}",
    "what do we pay for {Account}",
    "show the costs of {Account} by service",
    "how much money did {Account} burn {Period}",
    "which services of {Account} cost the most",
    "show me the spending of {Account} {Period}",
    "how high is the bill of {Account} {Period}",
    "AWS costs of {Account} {Period}",
    "how much are we spending on {Account}",
    "spending of my accounts {Period}",
    "cost report for {Account}",
)
MOVE = (
    "place account {Account} under {AccountOU}",
    "transfer account {Account} to the OU {AccountOU}",
    "{Account} should be in the OU {AccountOU}",
    "{Account} has to go to the OU {AccountOU}",
    "change the OU of {Account} to {AccountOU}",
    "change the OU of an account",
    "I want my account to be in another OU",
    "can you move my account under {AccountOU}",
    "reassign {Account} to another OU",
    "my account is in the wrong OU",
)
CHANGE_OWNER = (
    "transfer {Account} to {NewOwner}",
    "transfer account {Account} to {NewOwner}",
    "transfer the ownership of {Account} to {NewOwner}",
    "assign {Account} to {NewOwner}",
    "let {NewOwner} have {Account}",
    "{NewOwner} takes over {Account}",
    "from now on {NewOwner} is responsible for {Account}",
    "I don't want to own {Account} any more",
    "replace the owner of {Account} by {NewOwner}",
    "update the owner of {Account}",
    "pass {Account} on to {NewOwner}",
    "I am leaving so {NewOwner} gets {Account}",
)
UPDATE = (
    "get {Account} onto the newest version",
    "account {Account} is outdated",
    "reapply Account Factory to {Account}",
    "the baseline of {Account} is out of date",
    "sync account {Account} with Account Factory",
    "{Account} has drifted",
    "apply the latest Account Factory version to {Account}",
)
RENEW = (
    "give me more time with {Account}",
    "my sandbox must live longer",
    "postpone the expiry of {Account}",
    "don't let {Account} expire",
    "we are not finished with {Account} and need it longer",
    "add another month to {Account}",
    "extend my sandbox",
    "I'd like to keep my sandbox a bit longer",
    "can we have {Account} for one more month",
    "prolong my account",
)
CLOSE = (
    "we are done with {Account} so close it",
    "please shut down {Account} for good",
    "permanently delete {Account}",
    "dispose of account {Account}",
    "nobody uses {Account} any more so remove it",
    "the account {Account} can be closed",
    "can you delete account {Account}",
    "kill account {Account}",
    "retire account {Account}",
    "I'd like to have my account deleted",
    "end account {Account}",
)
