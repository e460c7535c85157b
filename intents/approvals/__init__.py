"""What people say about approving: what waits for them, who stands in, what they may do, and what is to be reviewed."""

from bot.intent import Intent
from bot.services import Services
from intents.approvals.away import Away, BackAgain
from intents.approvals.emergency import BreakGlass
from intents.approvals.reviews import ReviewRequest
from intents.approvals.rights import WhatMayI
from intents.approvals.waiting import WaitsForMe


def create(services: Services) -> list[Intent]:
    """Return this folder's intents."""
    return [
        Away(services),
        BackAgain(services),
        BreakGlass(services),
        WhatMayI(services),
        WaitsForMe(services),
        ReviewRequest(services),
    ]
