"""A stage for stories: the whole product on real sockets, with people who speak, hear, press and decide.

await ana.says("I need a sandbox account in Demos for team-x@corp.example")
ana.hears("Shall I go ahead?")
await ana.presses("Yes, go ahead")
await bo.opens_the_mail()
await bo.approves()
await ana.hears_later("is ordered")
await stage.advance(minutes=25)
await ana.hears_later("is ready:")
"""

from tests.support.stage.approver import Approver
from tests.support.stage.people import Speaker
from tests.support.stage.stage import Stage, Theatre
from tests.support.stage.three_ways import ThreeWays
from tests.support.stage.waiting import eventually

__all__ = ["Approver", "Speaker", "Stage", "Theatre", "ThreeWays", "eventually"]
