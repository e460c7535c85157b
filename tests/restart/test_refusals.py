"""What must not start at all says why in one line and changes nothing."""

from __future__ import annotations

import sqlite3

from tests.restart.people import Requester
from tests.restart.processes import BotProcess
from tests.restart.rig import Rig


def test_a_second_process_on_the_same_file_is_refused_in_words(rig: Rig, bot: BotProcess) -> None:
    second = rig.bot("second")
    second.launch()
    assert second.exit_status() == 2
    assert "quartermaster: Another Quartermaster already uses the database" in second.tail()
    assert "Traceback" not in second.tail()
    assert Requester(bot, "first").says("help")["messages"], "the first goes on as before"


def test_a_database_of_a_newer_version_is_refused_in_words_and_left_alone(rig: Rig) -> None:
    bot = rig.bot("older")
    assert bot.run("migrate")[0] == 0
    file = bot.folder / "quartermaster.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    bot.launch()
    assert bot.exit_status() == 2
    assert "newer than this version knows. Run the newer version" in bot.tail()
    assert "Traceback" not in bot.tail()
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    connection.close()
