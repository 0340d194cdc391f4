"""Sessions on tmux: the local Executor.

One tmux server a project, on a socket and with a configuration of orange's own, so that nobody's `kill-server` reaches
another's sessions. tmux expands formats in most of what it is given and splits arguments at `;`, so nothing but names
made of `[a-z0-9-]` and a fixed launcher reaches it; everything else goes by file. tmux is not the record: what a run
came to is in its folder, and that a run is dead is proven by its processes, never by a missing session.

`executor` is the port; `server` the one door to tmux, through libtmux; `listing` what spares
asking it; `ending` ends runs and proves them dead; `keyboard` types; `address` is what all of them call things.

Next in the flow: the supervisor (`orange.runner`) in the session; the reconciler, which looks at sessions and results.
"""

from orange.adapters.sessions.executor import TmuxExecutor

__all__ = ["TmuxExecutor"]
