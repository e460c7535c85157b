"""What people say about approving: who stands in, what they may do, and what was let through and is to be reviewed."""

from bot.intent import Intent
from bot.services import Services
from intents.approvals.away import Away, BackAgain
from intents.approvals.reviews import ReviewRequest
from intents.approvals.rights import WhatMayI


def create(services: Services) -> list[Intent]:
    """Return this folder's intents."""
    return [Away(services), BackAgain(services), WhatMayI(services), ReviewRequest(services)]
