"""Small documents in the styles people write them in, each with what a reader takes for its tasks and their order.

Next in the flow: the tests of `core.plans` decompose them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """A document and its gold."""

    name: str
    text: str
    #: Title -> parent's title, in the document's order.
    tasks: dict[str, str | None]
    #: Blocker's title -> the titles of what waits for it, as far as the document says so in words.
    order: dict[str, set[str]]
    #: As which file.
    file: str = "doc.md"


SAMPLES = (
    Sample(
        "ordinary headings",
        """# Shop

## Overview
A shop for small things.

## Authentication
People sign in before they buy.
- by e-mail
- by telephone

## Catalogue
Shows what there is. Depends on Authentication.

## Billing
Needs the catalogue. Once Authentication is done, Billing can start.

## Out of scope
- An app
""",
        {"Authentication": None, "Catalogue": None, "Billing": None},
        {"Authentication": {"Catalogue", "Billing"}, "Catalogue": {"Billing"}},
    ),
    Sample(
        "numbered requirements",
        """# Product Requirements Document: Notes

## 1. Introduction
### 1.1 Purpose
Notes for everybody.

## 2. Goals
- Be fast

## 3. Functional Requirements
### 3.1 Accounts
- **REQ-1**: Users can sign up. (P0)
- **REQ-2**: Users can sign in. Depends on REQ-1.
### 3.2 Notes
- **REQ-3**: Users can write a note after REQ-2.
- **REQ-4**: Notes are saved (requires REQ-3)

## 4. Non-Functional Requirements
| ID | Requirement | Priority | Depends on |
|----|-------------|----------|------------|
| NFR-1 | Pages load within a second | P2 | REQ-3, REQ-4 |

## 5. Open Questions
- [ ] Which database?
""",
        {
            "Accounts": None,
            "Users can sign up": "Accounts",
            "Users can sign in": "Accounts",
            "Notes": None,
            "Users can write a note after REQ-2": "Notes",
            "Notes are saved": "Notes",
            "Pages load within a second": None,
        },
        {
            "Users can sign up": {"Users can sign in"},
            "Users can sign in": {"Users can write a note after REQ-2"},
            "Users can write a note after REQ-2": {"Notes are saved", "Pages load within a second"},
            "Notes are saved": {"Pages load within a second"},
        },
    ),
    Sample(
        "phases with marks",
        """# Tasks: Albums

**Prerequisites**: plan.md (required)

## Format: `[ID] [P?] [Story] Description`
- **[P]**: Can run in parallel

## Phase 1: Setup
- [ ] T001 Make the folders
- [ ] T002 [P] Configure the linter

## Phase 2: Foundational (Blocking Prerequisites)
### Models
- [ ] T003 [P] Album model in src/album.py
- [ ] T004 [P] Photo model in src/photo.py
### Storage
- [ ] T005 Store in src/store.py (depends on T003, T004)

**Checkpoint**: ready

## Phase 3: User Story 1 - Make albums (Priority: P1) \U0001f3af MVP
**Goal**: People make albums

- [ ] T006 [P] [US1] Contract test in tests/albums.py
- [ ] T007 [US1] Album page in src/page.py

## Phase 4: Polish
- [ ] T008 Clean up the code

## Dependencies & Execution Order
- **Setup (Phase 1)**: No dependencies - can start immediately
- **Foundational (Phase 2)**: Depends on Setup completion - BLOCKS all user stories
- **Polish (Phase 4)**: Depends on all desired user stories being complete
- Tests (T006) → Implementation (T007)

## Implementation Strategy
1. Complete Phase 1
""",
        {
            "Setup": None,
            "Make the folders": "Setup",
            "Configure the linter": "Setup",
            "Foundational (Blocking Prerequisites)": None,
            "Album model in src/album.py": "Foundational (Blocking Prerequisites)",
            "Photo model in src/photo.py": "Foundational (Blocking Prerequisites)",
            "Store in src/store.py": "Foundational (Blocking Prerequisites)",
            "Make albums": None,
            "Contract test in tests/albums.py": "Make albums",
            "Album page in src/page.py": "Make albums",
            "Polish": None,
            "Clean up the code": "Polish",
        },
        {
            "Setup": {"Foundational (Blocking Prerequisites)"},
            "Album model in src/album.py": {"Store in src/store.py"},
            "Photo model in src/photo.py": {"Store in src/store.py"},
            "Foundational (Blocking Prerequisites)": {"Make albums"},
            "Contract test in tests/albums.py": {"Album page in src/page.py"},
            "Make albums": {"Polish"},
        },
    ),
    Sample(
        "user stories",
        """# Sharing

## User Stories

### User Story 1: Share a note
As a writer, I want to share a note so that others read it.

**Acceptance Criteria:**
- [ ] A link is made
- [ ] The link can be withdrawn

**Priority:** High
**Estimate:** 3 points
**Dependencies:** User Story 2

### User Story 2: Find a note
As a writer, I want to find a note.
""",
        {"Share a note": None, "Find a note": None},
        {"Find a note": {"Share a note"}},
    ),
    Sample(
        "a nested checklist",
        """# TODO
- [ ] Backend
  - [ ] Models of goods
  - [ ] API (after Models of goods)
- [ ] Frontend
  - [ ] Login page
  - [ ] Profile page
- [ ] Deploy, once Backend and Frontend are done
""",
        {
            "Backend": None,
            "Models of goods": "Backend",
            "API": "Backend",
            "Frontend": None,
            "Login page": "Frontend",
            "Profile page": "Frontend",
            "Deploy, once Backend and Frontend are done": None,
        },
        {
            "Models of goods": {"API"},
            "Backend": {"Deploy, once Backend and Frontend are done"},
            "Frontend": {"Deploy, once Backend and Frontend are done"},
        },
    ),
    Sample(
        "numbers within numbers",
        """# Implementation Plan

- [ ] 1. Set up the project
  - Make folders
  - _Requirements: 1.1_
- [ ] 2. Implement the models
- [ ] 2.1 Write the interfaces
- [ ] 2.2 Validate what comes in
- [ ] 3. Build the API
""",
        {
            "Set up the project": None,
            "Implement the models": None,
            "Write the interfaces": "Implement the models",
            "Validate what comes in": "Implement the models",
            "Build the API": None,
        },
        {},
    ),
    Sample(
        "a table of tasks",
        """# Plan

| # | Task | Estimate | Depends On |
|---|------|----------|------------|
| 1 | Install the libraries | 1h | - |
| 2 | Define the errors | 2h | Task 1 |
| 3 | Implement the models | 1d | Tasks 1, 2 |
""",
        {"Install the libraries": None, "Define the errors": None, "Implement the models": None},
        {
            "Install the libraries": {"Define the errors", "Implement the models"},
            "Define the errors": {"Implement the models"},
        },
    ),
    Sample(
        "plain text",
        """Inventory system

We need a system that counts what is in store.

REQUIREMENTS

1. Import the list of goods from the old system
2. Scan codes with a phone. This needs the list of goods.
3. Print labels
   - in two sizes
""",
        {
            "Import the list of goods from the old system": None,
            "Scan codes with a phone": None,
            "Print labels": None,
        },
        {"Import the list of goods from the old system": {"Scan codes with a phone"}},
        "doc.txt",
    ),
    Sample(
        "sentences and nothing else",
        "People must be able to sign in. Show them their notes once they did. Export notes as PDF.\n",
        {
            "People must be able to sign in": None,
            "Show them their notes once they did": None,
            "Export notes as PDF": None,
        },
        {},
        "doc.txt",
    ),
    Sample(
        "epics and stories",
        """# Backlog

## Epic 1: Accounts
### Story 1.1: Sign up
- **Given** nobody, **when** they sign up, **then** they are known

### Story 1.2: Sign in
Blocked by Story 1.1.

## Epic 2: Payment
Depends on Epic 1.

### Story 2.1: Pay by card

#### Tasks
- [ ] Choose a provider
""",
        {
            "Accounts": None,
            "Sign up": "Accounts",
            "Sign in": "Accounts",
            "Payment": None,
            "Pay by card": "Payment",
        },
        {"Sign up": {"Sign in"}, "Accounts": {"Payment"}},
    ),
)
