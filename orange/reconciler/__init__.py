"""Observe, decide, act, record: one project's turn of the loop."""
