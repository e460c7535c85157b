"""The database: its tables, and the one writer a process has."""

from bot.database.engine import Database, Transaction

__all__ = ["Database", "Transaction"]
