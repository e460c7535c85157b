"""The embedded engine: Lex V2's RecognizeText in-process, from a bot locale in lexv2-models' shapes."""

from adapters.lex.engine.engine import Engine
from adapters.lex.engine.errors import DefinitionError, ValidationException

__all__ = ["DefinitionError", "Engine", "ValidationException"]
