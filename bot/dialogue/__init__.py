"""The dialogue: asks, corrects, confirms. It owns the form; recognisers only understand single texts."""

from bot.dialogue.dialogue import Dialogue

__all__ = ["Dialogue"]
