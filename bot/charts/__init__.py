"""Metrics as pictures: PNG for chats, SVG for pages, drawn in a process of their own."""
