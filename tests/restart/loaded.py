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

__all__ = ["adapters", "alembic", "bot", "sandbox", "uvicorn"]

gc.freeze()  # pages that the collector does not touch stay shared
