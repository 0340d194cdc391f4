"""The supervisor of one run, inside its session: prepare, execute, report.

It runs one agent in a terminal of its own, watches it, ends it, saves what it left and writes down how it went. It
decides nothing about the task: the daemon reads the result and does. It starts with every run, so its modules import
little (`test_runner` measures it).
"""
