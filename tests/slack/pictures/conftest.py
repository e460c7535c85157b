"""The pictures' story takes place on the stage of the stories."""

from tests.support.theatre import theatre

__all__ = ["theatre"]
