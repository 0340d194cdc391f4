"""Takes a reviewer's answer in: from the file it wrote, from the task's `## Review`, else from the end of what it said.

The answer is data of somebody who may have been misled by what it read: it is read with care, kept in the run's folder,
and nothing follows from it here but whether it is an answer at all.

Next in the flow: the daemon reads `review.json` and concludes.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from orange import recordfile
from orange.core import reviews, runfiles
from orange.core.ending import FAILED, FINISHED, Ending, readable

if TYPE_CHECKING:
    from orange.runner.folder import RunFolder
    from orange.runner.job import Job


def clear(job: Job) -> None:
    """Remove what the work under review has laid where the answer belongs."""
    with contextlib.suppress(OSError):
        os.unlink(f"{job.workspace}/{reviews.ANSWER}")


def section(text: str) -> str:
    """Return the section of a task's text that is for reviews; empty where there is none."""
    from orange.core.body import REVIEW  # seldom needed, and heavy
    from orange.core.body import section as found

    return found(text, REVIEW) or ""


def answered(job: Job, folder: RunFolder, before: str, after: str, ending: Ending) -> Ending:
    """Judge a reviewer's step that came to its end; `before` and `after`: the task's review section.

    Finished with whether the work passed, or failed with what makes no sense. Raises OSError.
    """
    try:
        answer = reviews.read(_text(job, before, after, ending))
    except reviews.BadAnswer as bad:
        return ending._replace(outcome=FAILED, message=f"the review's answer cannot be understood: {bad}", output=b"")
    about = {"run": job.run, "task": job.task, "commit": job.reviewed, "agent": job.agent, "at": folder.stamp()}
    folder.write_json(runfiles.REVIEW, reviews.report(answer, about), sync=True)
    return ending._replace(outcome=FINISHED, message=reviews.summary(answer), exit_code=0, checked=answer.passed)


def _text(job: Job, before: str, after: str, ending: Ending) -> str:
    written = _file(f"{job.workspace}/{reviews.ANSWER}")
    if written is not None:
        return written
    return after if after and after != before else readable(ending.output)


def _file(path: str) -> str | None:
    """Read a regular file, never through a link; None where there is none."""
    data = recordfile.plain(path, reviews.MOST)
    return None if data is None else data.decode("utf-8", "replace")
