"""Translations between outside systems and the bot; one package a system."""
