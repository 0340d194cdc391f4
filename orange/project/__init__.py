"""The facade over one repository: every command, route and reconciler goes through `Project`.

It owns no state. Each method is one request, carried out by the module named for its subject; what it writes lands
as one journal entry, and what it refuses is an `OrangeError`.
"""

from orange.project.facade import Project

__all__ = ["Project"]
