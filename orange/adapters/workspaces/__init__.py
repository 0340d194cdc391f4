"""The `Workspaces` port over git worktrees; `worktrees` says how its modules work together."""

from orange.adapters.workspaces.inplace import InPlaceWorkspaces
from orange.adapters.workspaces.worktrees import WorktreeWorkspaces

__all__ = ["InPlaceWorkspaces", "WorktreeWorkspaces"]
