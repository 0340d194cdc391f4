"""What a heading promises about what stands below it, and what a sentence looks like: work, a criterion, background.

Next in the flow: `units` asks these of every section and point.
"""

from __future__ import annotations

import re
from enum import Enum


class Role(Enum):
    """What stands below a heading."""

    #: Nothing to do: background.
    CONTEXT = "context"
    #: When the thing above is done.
    CRITERIA = "criteria"
    #: In which order the work is done.
    ORDER = "order"
    #: Work, but the heading is only a heap of it.
    WORK = "work"
    #: The heading says nothing.
    NEUTRAL = "neutral"


_CRITERIA = re.compile(
    r"acceptance( criteria| tests?| scenarios?)?|definition of done|done when|success criteria( .*)?|exit criteria|"
    r"independent test|verification( criteria)?|test strategy|checkpoint|validation( .*)?|how to (test|verify)|"
    r"conditions of satisfaction|expected (results?|behaviou?r|outcomes?)"
)
_ORDER = re.compile(
    r"(task |logical |internal |phase |user story |execution )?dependenc(y|ies)( graph| chain| map| order| & .*|"
    r" and .*)?|"
    r"execution (order|plan|sequence)|(critical path|implementation order|build order|order of work|sequenc(e|"
    r"ing))( .*)?|"
    r"parallel (opportunities|execution|example).*|within each user story|depends on|blocked by|prerequisites?|"
    r"task execution order"
)
_WORK = re.compile(
    r"([^:]* )?(requirements|features|tasks|subtasks|user stories|stories|epics|backlog|to ?-?dos?|action items|"
    r"work items|deliverables|milestones|phases|phased delivery|roadmap|work breakdown( structure)?|checklist|"
    r"capabilities|implementation( plan| steps| tasks)?|tickets|issues|next steps|fixes|improvements|enhancements|"
    r"use cases|functionality|must haves?|should haves?|could haves?|nice to haves?|work packages|steps|"
    r"tasks & milestones|sprints|user scenarios|p[0-3])( list| overview| breakdown| table| & .*|"
    r" and .*| (for|of|in) .*)?|to-?do .*|feature|requirement|bugs|task list( table)?|"
    r"(architecture |functional |product |system )?modules|"
    r"(critical|urgent|highest?|high|medium|normal|low|lowest)( priority)?|"
    r"(?!how |why |when )([^:]* )?to (implement|build|do|add|write|create|fix|change|delete|remove|deliver)|"
    r"((task|story|feature|epic|milestone|phase|work) )?breakdown( structure)?"
)
_WORK_LAST = re.compile(r"tasks|requirements|features|stories|improvements|enhancements|fixes|to-?dos?|items|issues")
#: Words of a heading that still only heads a heap.
_MOST_WORDS = 5
_CONTEXT = re.compile(
    r"(executive |project |product |document |technical |system |feature )?(overview|summary|introduction|intro|"
    r"background|"
    r"context|abstract|information|info)|about.*|purpose|vision|mission|motivation|why( .*)?|"
    r"((project |product |business |user )?(goals?|objectives?)|goals? (and|&) .*)|non-?goals.*|out[ -]of[ -]scope.*|"
    r"(project )?scope|in[ -]scope|(the )?problem( statement)?.*|opportunity|glossary.*|definitions?.*|terminology|"
    r"acronyms.*|"
    r"(user |target )?(personas?|audience|users)|target .*|stakeholders?|team|roles( and responsibilities)?|"
    r"(success |key )?(metrics|kpis?|measures).*|success criteria|risks?( .*|,.*)?|assumptions?.*|constraints?.*|"
    r"related .*|see also|references?|appendi(x|ces).*|open questions?|questions|(future|later)( .*)?|timeline|"
    r"(issues|problems?) (&|and) (solutions|fixes)|"
    r"schedule|budget|"
    r"changes( .*)?|what'?s new.*|"
    r"revision history|change ?log|version history|document (control|history)|table of contents|contents|toc|"
    r"tech(nology|nical)? (stack|considerations|context|notes?|architecture|design)|(system |"
    r"high-level )?architecture(?! (modules|tasks|changes|work)$).*|"
    r"data models?|key entities|notes?|legend|format\b.*|path conventions|conventions|alternatives.*|market.*|compet.*|"
    r"user (experience|journeys?|flows?)|ux( .*)?|design( .*)?|rationale|license|acknowledge?ments|relevant files|"
    r"(testing|implementation|rollout|launch|release|go-to-market|deployment|mvp) (strategy|approach|notes?).*|"
    r"implementation strategy.*|edge cases|clarifications|review.*|dependencies|external dependencies|pricing.*|"
    r"(infrastructure|hardware|environment|runtime) requirements|results?|"
    r"mvp first.*|incremental delivery|parallel team strategy|business case|current state|existing .*|examples?|"
    r"decisions?"
)
_LATER = re.compile(r"(future|later|planned|upcoming)\b.*", re.IGNORECASE)
#: Words before a word for work that say what kind of work it is, and not what part of the product it is on.
_KIND_LIST = """
functional non-functional nonfunctional core key main user product business technical system mvp immediate remaining
open implementation development project detailed additional other new next current pending software quality feature
acceptance work action planned future proposed high medium low must should could have priority list release updated
reprioritized prioritized and & the of
"""
_KINDS = frozenset(_KIND_LIST.split())
_ARTICLE = re.compile(r"^(the|our|a|an|key|core|main|detailed|proposed|product|list of)\s+")

#: A person's wish: a user story in one sentence.
_STORY = re.compile(r"^as an? .{2,80}?,? (i|we) (want|need|can|would like|should|must)\b", re.IGNORECASE)
_MODAL = re.compile(
    r"\b(must|shall|should|will|needs? to|has to|have to|can|may|is able to|are able to|supports?|allows?|provides?)\b",
    re.IGNORECASE,
)
_VERB_LIST = """
add allow apply archive assign authenticate automate benchmark block build bump cache calculate change check clean
collect compute configure connect convert create cut define delete deliver deploy deprecate design detect disable
display document drop email emit enable encrypt enforce ensure establish evaluate execute expand explore export
expose extend extract fetch filter fix generate give handle hide hook host identify implement import improve
include index initialise initialize install instrument integrate introduce investigate invite issue join keep
launch let limit link list load localize lock log maintain make map measure merge migrate mock modify monitor move
normalize notify optimise optimize organize package paginate parse persist plan polish port prepare present
prevent print process profile protect prototype provide provision publish pull purge push queue rate read rebuild
record redesign reduce refactor refresh register release remove rename render replace report request require
research reset resolve restore retry return review revoke rewrite rotate route run sanitize save schedule search
secure seed select send serve set setup share ship show sign simplify sort spike split stop store stream submit
support switch sync synchronize test throttle track train translate trigger turn unify update upgrade upload use
validate verify version wire wrap write
"""
_VERBS = frozenset(_VERB_LIST.split())
_VAGUE = re.compile(
    r"\b(tbd|tba|todo|fixme|needs clarification|improve(ments?)?|enhance(ments?)?|better|optimi[sz]e|polish|various|"
    r"misc|miscellaneous|etc|and so on|stuff|things|somehow|user[- ]friendly|nice|modern|intuitive|seamless|robust|"
    r"flexible|"
    r"as needed|if needed|as appropriate|handle everything|general)\b|\?\?+",
    re.IGNORECASE,
)
#: First words of a title -> the type of the task.
_TYPES = (
    (re.compile(r"(bug|fix|hot-?fix|repair|resolve|correct)\b", re.IGNORECASE), "bug"),
    (re.compile(r"(refactor|restructure|clean ?up|simplify|rename|deduplicate)\b", re.IGNORECASE), "refactor"),
    (re.compile(r"(document|write (the )?(docs|documentation)|docs|documentation|readme)\b", re.IGNORECASE), "docs"),
    (re.compile(r"((write|add|create) ((unit|integration|e2e|end-to-end|contract|regression|ui|load) )*tests?|"
        r"(unit|integration|e2e|contract) tests?|test)\b", re.IGNORECASE), "test"),
    (re.compile(r"(research|investigate|explore|evaluate|compare)\b", re.IGNORECASE), "research"),
    (re.compile(r"(spike|prototype|proof of concept)\b", re.IGNORECASE), "spike"),
    (re.compile(r"(chore|bump|upgrade|set ?up|configure|install|initiali[sz]e)\b", re.IGNORECASE), "chore"),
)  # fmt: skip


def role_of(title: str) -> Role:
    """Say what a heading promises; numbers and marks are already taken off it."""
    words = re.sub(r"\s*[(\[*].*$", "", title.lower()).strip(" .:!*_")
    if names_phase(words):
        return Role.NEUTRAL
    bare = _ARTICLE.sub("", words)
    for pattern, role in ((_CRITERIA, Role.CRITERIA), (_ORDER, Role.ORDER), (_CONTEXT, Role.CONTEXT)):
        if pattern.fullmatch(words) or pattern.fullmatch(bare):
            return role
    words = bare
    heads = len(words.split()) <= _MOST_WORDS and _WORK.fullmatch(words)
    return Role.WORK if heads else Role.NEUTRAL


def names_phase(title: str) -> bool:
    """Whether a heading calls what stands below it a phase, without a number: `Design phase`."""
    return re.fullmatch(r"[\w&/-]+( [\w&/-]+)? phase", title.strip(), re.IGNORECASE) is not None


def is_later(title: str) -> bool:
    """Whether a heading speaks of what comes later: boxes below it are work all the same."""
    return _LATER.fullmatch(title) is not None


def names_part(title: str) -> bool:
    """Whether a heading for work names a part of the product: `Search improvements`, not `Core features`."""
    words = re.sub(r"\s*[(\[].*$", "", title.lower()).strip(" .:!*_").split()
    return (
        len(words) > 1
        and any(word not in _KINDS for word in words[:-1])
        and _WORK_LAST.fullmatch(words[-1]) is not None
    )


def is_list_of_work(name: str) -> bool:
    """Whether a file or a title says that every point in it is work: `TODO`, `Product Backlog`."""
    return re.fullmatch(r"(.*\W)?(to[ _-]?dos?|backlog)(\W.*)?", name.lower()) is not None


def is_story(text: str) -> bool:
    """Whether a sentence is a user story."""
    return _STORY.match(text) is not None


def is_worklike(text: str) -> bool:
    """Whether a sentence asks for something: it begins with a verb, is a story, or says what must be."""
    first = re.match(r"[A-Za-z]+", text)
    return bool(first and first[0].lower() in _VERBS) or is_story(text) or _MODAL.search(text[:90]) is not None


def vague_word(text: str) -> str | None:
    """Return the word that makes a title say little."""
    match = _VAGUE.search(text)
    return match[0] if match else None


def type_of(title: str, *, feature: bool) -> str:
    """Guess a task's type from its first words; `feature` where the document speaks of features."""
    return next((kind for pattern, kind in _TYPES if pattern.match(title)), "feature" if feature else "task")
