"""Stories take place in the theatre."""

from tests.support.theatre import ana, bo, stage, theatre

__all__ = ["ana", "bo", "stage", "theatre"]
