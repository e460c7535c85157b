"""The core of Quartermaster: conversations, requests, approvals, workflows and their record.

Five nouns carry it: an Activity comes in, an Intent is chosen, a Request is approved, a Step is
done, a Card goes out. The core knows no chat SDK and no AWS SDK; `bot.main` wires those in.
"""

__version__ = "0.1.0"
