"""Insights without a running bot: times in words, and charts."""
