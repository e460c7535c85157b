"""Slot types of our own that several intents can use: Regions of AWS, and ids of accounts.

Lex gets them as AMAZON.AlphaNumeric with a pattern. The embedded engine knows both by their pattern, and takes what
people say for them, too: "Frankfurt" or "eu central 1", "1234-5678-9012" or "1234 5678 9012".
"""

from __future__ import annotations

from bot.intent import SlotType

REGION = SlotType("AwsRegion", pattern="[a-z]{2,3}-[a-z-]{4,20}-[0-9]{1,2}", listed=False)
ACCOUNT_ID = SlotType("AwsAccountId", pattern="[0-9]{12}", listed=False)
