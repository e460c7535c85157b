"""What the nursery loads before it forks: everything that the programs of the drills load by themselves."""

import gc
import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a process that forks has no other threads

import alembic.command
import uvicorn

import adapters.aws
import adapters.console
import adapters.email
import adapters.lex.local
import adapters.rest
import bot.commands.record
import bot.commands.run
import bot.main
import sandbox.server
from bot.lexshape import lex_definition
from bot.settings import Settings
from tests.support.learning import share

__all__ = ["adapters", "alembic", "bot", "sandbox", "uvicorn"]


def _learn() -> None:
    """Compile what the shipped intents say, which each program would do anew."""
    settings = Settings(aws_endpoint_url="http://127.0.0.1:9")
    services = bot.main.build_services(settings, bot.main.build_clock(settings), bot.main.build_cloud(settings))
    registry = bot.main.discover(services)
    adapters.lex.local.LocalRecognizer(lex_definition(registry, locale=settings.lex_locale_id))


share()
_learn()

gc.freeze()  # pages that the collector does not touch stay shared
