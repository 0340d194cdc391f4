"""Printed pages as text again: pieces of text with places and sizes become lines, tables and Markdown. Pure."""
