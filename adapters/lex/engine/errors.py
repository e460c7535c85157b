"""What the engine refuses.

ValueError
└── ValidationException   the request breaks a rule of RecognizeText (text, session id, session state)
└── DefinitionError       the bot locale handed to the constructor cannot be compiled
"""

from __future__ import annotations


class ValidationException(ValueError):
    """A request that Lex V2 answers with ValidationException (HTTP 400)."""


class DefinitionError(ValueError):
    """A bot locale that names a missing slot type, an impossible pattern or no intent at all."""
