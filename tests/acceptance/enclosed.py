"""What an agent does in a sandbox as in a container, and what comes of it: the same script in both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.acceptance.place import Place

#: It hands over to a child, which it finds to be there when it works on that one; only what any image has is used.
DELEGATING = r"""
exec 2>&1
if orange task list --all --json | grep -q parted; then
    echo x > part.txt; git add .; git commit -q -m Part; exit 0
fi
printf 'APPROACH: in parts\n' | orange task write Plan - && echo "wrote"
orange task show --json | grep -q '"status": "working"' && echo "showed"
orange config set agent script || echo "refused $?"
orange -C / status || echo "refused $?"
orange task create x --body-file /etc/passwd || echo "refused $?"
orange task approve || echo "refused $?"
cat .agents/skills/orange-worker/SKILL.md
orange task create parted "Do a part of it" && echo "created"
orange task update --status delegated && echo "delegated"
"""
#: It is asked for something once: some of it committed, some left; the rest of the machine is not its business.
ONCE = """
exec 2>&1
touch "$OUTSIDE/planted" 2>/dev/null && [ -e REPO/README.md ] && echo "ESCAPED"
ls REPO/.orange/tasks && echo "ESCAPED"
git update-ref refs/heads/planted HEAD && echo "ESCAPED"
orange task list --all && echo "listed"
echo once > quick.txt; git add quick.txt && git commit -q -m Once && echo "committed"
echo left > left.txt
"""


def log_of(place: Place) -> str:
    """What the agents of all runs said."""
    return "".join(path.read_text() for path in sorted((place.repo / ".git/orange/runs").glob("*/output.log")))


def delegates(place: Place) -> str:
    """Let an agent with `DELEGATING` work on a task, whose parent closes in the end; returns what it said."""
    place.create("whole")
    place.start()
    place.until(lambda: place.statuses().get("whole") in {"done", "stuck"}, "the parent to close")
    log = log_of(place)
    assert place.statuses() == {"whole": "done", "parted": "done"}, log
    assert [word in log for word in ("wrote", "showed", "created", "name: orange-worker")] == [True] * 4, log
    assert log.count("refused 1") == 4, log
    assert place.task("parted")["parent"] == place.task("whole")["id"]
    assert "APPROACH: in parts" in place.task("whole")["body"]
    return log


def acts_once(place: Place) -> dict[str, Any]:
    """Let an agent with `ONCE` carry a quick action out, of which nothing stays but its record; returns that."""
    before = place.git("for-each-ref", "refs/heads")
    place.start()
    made = place.orange("quick", "run", "Do it once", "--json").json["quick_run"]["id"]

    def over() -> bool:
        found = place.orange("quick", "show", made, "--json").json["quick_run"]
        return found["status"] in {"completed", "failed"} and found["workspace"] is None

    place.until(over, "the quick action to be over")
    found = dict(place.orange("quick", "show", made, "--json").json["quick_run"])
    log = Path(found["logs_ref"]).read_text()
    assert found["status"] == "completed", (found, log)
    assert ("listed" in log, "committed" in log, "ESCAPED" in log) == (True, True, False), log
    patch = Path(found["patch"]).read_text()
    assert (found["changed_files"], "+once" in patch, "+left" in patch) == (2, True, True)
    assert place.git("for-each-ref", "refs/heads") == before
    assert not list(place.home.glob("planted"))
    return found
