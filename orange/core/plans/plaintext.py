"""Plain text -> Markdown, line by line: what people write for headings and points where nothing marks them up.

Next in the flow: `markdown` reads it, with the same line numbers.
"""

from __future__ import annotations

import re

from orange.core.plans import pasted

_MARKED = re.compile(r"^(#{1,6} \S| {0,3}(```|~~~)|[ \t]*[-*+] \[[ xX]\] |\|.*\|\s*$)", re.MULTILINE)
_POINT = re.compile(r"(\s*)(?:[•·▪◦●*+–—-]|\(?[a-z0-9]{1,2}[.)]|\[[ xX]?\])\s+\S")
_BULLET = re.compile(r"(\s*)[•·▪◦●–—]\s+")
_BOX = re.compile(r"(\s*)(?:[-*+•]\s*)?(\[[ xX]\])\s+")
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2})*)[.)]?\s+(?=[A-Z])(.{2,80})$")
_CAPITALS = re.compile(r"[A-Z0-9][A-Z0-9 &/,:()'-]{3,70}")


def as_markdown(text: str, source: str) -> str:
    """Return a document as Markdown; what is Markdown already stays as it is."""
    text = pasted.marked(text)
    if source.lower().endswith((".md", ".markdown", ".mdx")) or _MARKED.search(text):
        return text
    lines = text.split("\n")
    numbered = _numbered_headings(lines)
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    return "\n".join(_line(lines, i, numbered=i in numbered, top=i == first) for i in range(len(lines)))


def _numbered_headings(lines: list[str]) -> set[int]:
    """Find the numbered lines that head something: they stand alone, and text follows, not the next number."""
    found = set()
    for i, line in enumerate(lines):
        match = _NUMBERED.match(line)
        if match and not line.rstrip().endswith((".", ";")) and not (i and lines[i - 1].strip()):
            after = next((one for one in lines[i + 1 : i + 20] if one.strip()), "")
            if _goes_deeper(match[1], after) and not (lines[i + 1].startswith((" ", "\t")) and _POINT.match(after)):
                found.add(i)
    return found


def _goes_deeper(number: str, after: str) -> bool:
    """Whether what follows belongs below a number."""
    match = _NUMBERED.match(after)
    return bool(after) and (match is None or match[1].startswith(f"{number}."))


def _line(lines: list[str], i: int, *, numbered: bool, top: bool) -> str:
    line, below = lines[i].rstrip(), lines[i + 1].strip() if i + 1 < len(lines) else ""
    if re.fullmatch(r"={3,}|-{3,}|~{3,}|\*{3,}", line.strip()):
        return ""
    level = _level(lines, i, below, numbered=numbered, top=top)
    if level:
        return f"{'#' * level} {line.strip().rstrip(':')}"
    if box := _BOX.match(line):
        return f"{box[1]}- {box[2]} {line[box.end() :]}"
    if bullet := _BULLET.match(line):
        return f"{bullet[1]}- {line[bullet.end() :]}"
    return line if _POINT.match(line) else line.strip()


def _level(lines: list[str], i: int, below: str, *, numbered: bool, top: bool) -> int:
    """Return the level of a line as a heading; 0 where it is none."""
    line = lines[i].strip()
    if line and len(below) >= 3 and len(set(below)) == 1 and below[0] in "=-~":
        return 1 if below[0] == "=" else 2
    if line and not below and len(line.split()) <= 8 and line[-1] not in ".:" and top:
        return 1  # a few words at the very top
    number = _NUMBERED.match(lines[i]) if numbered else None
    if number:
        return min(number[1].count(".") + 2, 6)
    return 0 if not _is_head(lines, i) else 3 if line.endswith(":") else 2


def _is_head(lines: list[str], i: int) -> bool:
    """Whether a line stands alone as a heading: capitals, or a few words and a colon."""
    line = lines[i]
    alone = i == 0 or not lines[i - 1].strip()
    if not alone or line.startswith((" ", "\t")) or _POINT.match(line) or not line.strip():
        return False
    return _CAPITALS.fullmatch(line.strip()) is not None or (line.rstrip().endswith(":") and len(line.split()) <= 6)
