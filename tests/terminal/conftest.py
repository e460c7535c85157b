"""The stage of the stories."""

from tests.support.theatre import ana, bo, stage, theatre

__all__ = ["ana", "bo", "stage", "theatre"]
