"""Tasks in from other tools: a reader for each format gives items, `resolve` makes tasks of them. Pure.

Nothing of a source is dropped: what a task file has no key for is kept under `x-<format>`, and what could not be taken
over as it stood is said in the report.

Next in the flow: `project.importing` writes the tasks in one entry.
"""
