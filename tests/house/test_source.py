"""The rules of the house, checked on the source itself: purity of the core, budgets, names, waivers, paths."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "orange"
TESTS = ROOT / "tests"
#: Names of modules that say nothing.
EMPTY_NAMES = frozenset({"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"})
#: Each outside thing -> the folder or file that alone may import it.
DOORS = {
    "subprocess": "adapters/process.py",
    "pygit2": "adapters/",
    "pypdf": "adapters/",
    "libtmux": "adapters/",
    "watchdog": "adapters/",
}
#: What reads a clock or randomness without looking like it; `module.name` as called.
HIDDEN = frozenset(
    {
        "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "uuid.uuid1", "uuid.uuid4",
        "secrets.token_bytes", "secrets.token_hex", "secrets.choice", "id_factory",
    }
)  # fmt: skip
FORBIDDEN_CALLS = frozenset({"open", "input", "print", "eval", "exec", "breakpoint"})


@dataclass(frozen=True)
class Module:
    """One source file, parsed."""

    path: Path
    text: str
    tree: ast.Module
    #: Every node that a rule below asks about: walking once is most of the cost.
    nodes: tuple[ast.AST, ...]

    @property
    def name(self) -> str:
        """The path below the repository, as failures show it."""
        return self.path.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Function:
    """One function and how many lines of code its body has."""

    where: str
    node: ast.FunctionDef | ast.AsyncFunctionDef
    lines: int
    #: Whether its head waives the number of parameters; the waiver's reason is another test's concern.
    waived: bool


@cache
def modules(folder: Path) -> tuple[Module, ...]:
    """Parse every module below a folder, once."""
    files = sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)
    return tuple(_module(path) for path in files)


_ASKED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Import, ast.ImportFrom, ast.ExceptHandler, ast.Call)


def _module(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    return Module(path, text, tree, tuple(node for node in ast.walk(tree) if isinstance(node, _ASKED)))


@cache
def functions() -> tuple[Function, ...]:
    """Return every function of the program."""
    return tuple(
        Function(f"{module.name}:{node.lineno} {node.name}", node, _body_lines(node, lines), _is_waived(node, lines))
        for module in modules(PACKAGE)
        for lines in [module.text.splitlines()]
        for node in module.nodes
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    )


def _is_waived(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> bool:
    return any("PLR0913" in line or "PLR0917" in line for line in lines[node.lineno - 1 : node.body[0].lineno])


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> int:
    """Count lines of code: no docstring, blank lines or comments."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not body or node.end_lineno is None:
        return 0
    counted = (line.strip() for line in lines[body[0].lineno - 1 : node.end_lineno])
    return sum(1 for line in counted if line and not line.startswith("#"))


def _imports(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _called(node: ast.Call) -> str:
    """Name what is called: `open`, or the last two parts of a dotted name."""
    return ".".join(ast.unparse(node.func).split(".")[-2:])


def test_core_opens_nothing_and_reads_no_hidden_clock() -> None:
    """The core neither opens, prints nor evaluates, and takes no time or randomness from where it is not passed in."""
    found = [
        f"{module.name}:{node.lineno} {_called(node)}"
        for module in modules(PACKAGE / "core")
        for node in module.nodes
        if isinstance(node, ast.Call) and _called(node) in HIDDEN | FORBIDDEN_CALLS
    ]
    assert not found


def test_functions_are_short() -> None:
    """Half of all functions have fewer than 8 lines, nine in ten fewer than 25, none more than 60."""
    lengths = sorted((function.lines for function in functions()), reverse=True)
    longest = sorted(functions(), key=lambda function: -function.lines)[:5]
    assert median(lengths) < 8
    assert sum(length < 25 for length in lengths) >= 0.9 * len(lengths), [function.where for function in longest]
    assert lengths[0] <= 60, [function.where for function in longest if function.lines > 60]


def test_modules_hold_one_subject() -> None:
    """No module of the program is longer than 400 lines."""
    counts = {module.name: module.text.count("\n") for module in modules(PACKAGE)}
    assert not {name: count for name, count in counts.items() if count > 400}


def test_functions_take_five_positional_parameters_at_most() -> None:
    """More than five parameters are a value that has no name yet; click's commands, and waivers with a reason, may."""
    found = [function for function in functions() if _positional(function.node) > 5]
    assert not [function.where for function in found if "/cli/" not in function.where and not function.waived]


def _positional(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    return len(names) - (bool(names) and names[0] in {"self", "cls"})


def test_everything_public_has_a_docstring() -> None:
    """Every module, public class, function and method says what it is for."""
    found = [f"{module.name} module" for module in modules(PACKAGE) if not ast.get_docstring(module.tree)]
    found += [where for module in modules(PACKAGE) for where in _undocumented(module)]
    assert not found


def _undocumented(module: Module) -> Iterator[str]:
    classes = [node for node in module.tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    for body in (module.tree.body, *(node.body for node in classes)):
        for node in body:
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                continue
            private = node.name.startswith("_") or _is_overload(node)
            if not private and not ast.get_docstring(node):
                yield f"{module.name}:{node.lineno} {node.name}"


def _is_overload(node: ast.stmt) -> bool:
    decorators = getattr(node, "decorator_list", [])
    return any(ast.unparse(decorator).endswith(("overload", ".setter")) for decorator in decorators)


def test_every_test_states_a_behaviour() -> None:
    """Every test has a docstring, and it is a sentence."""
    found = [
        f"{module.name}:{node.lineno} {node.name}"
        for module in modules(TESTS)
        for node in module.nodes
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_")
        if not re.search(r"\w.*[.?)`]\s*$", ast.get_docstring(node) or "", re.DOTALL)
    ]
    assert not found


_WAIVER = re.compile(r"#\s*(noqa(?::\s*[A-Z]+[0-9]+(?:\s*,\s*[A-Z]+[0-9]+)*)?|type:\s*ignore(?:\[[^\]]*\])?)(.*)$")
_REASON = re.compile(r"\s*(?:-|#)+\s*\w+\W+\w+")


@pytest.mark.parametrize("folder", [PACKAGE, TESTS, ROOT / "bench"], ids=lambda folder: folder.name)
def test_every_waiver_has_its_reason_beside_it(folder: Path) -> None:
    """Each `noqa` and `type: ignore` names its rule and says, on the same line, why it is right."""
    found = []
    for module in modules(folder):
        for number, line in enumerate(module.text.splitlines(), 1):
            waiver = _WAIVER.search(line)
            if waiver and "_WAIVER" not in line and not line.strip().startswith('"""'):
                named = waiver[1].endswith("]") or ":" in waiver[1].removeprefix("type:")
                if not (named and _REASON.match(waiver[2])):
                    found.append(f"{module.name}:{number} {line.strip()}")
    assert not found


def test_broad_excepts_are_three_at_most() -> None:
    """A handler that swallows everything stands only at a supervised edge; one that raises again is no such thing."""
    found = [
        f"{module.name}:{node.lineno}"
        for module in modules(PACKAGE)
        for node in module.nodes
        if isinstance(node, ast.ExceptHandler) and _is_broad(node) and not _raises_again(node)
    ]
    assert len(found) <= 3, found


def _is_broad(node: ast.ExceptHandler) -> bool:
    names = {ast.unparse(part) for part in ast.walk(node.type) if isinstance(part, ast.Name)} if node.type else set()
    return node.type is None or bool(names & {"Exception", "BaseException"})


def _raises_again(node: ast.ExceptHandler) -> bool:
    return isinstance(node.body[-1], ast.Raise)


def test_modules_are_named_for_a_subject() -> None:
    """No module or package is called by a word that fits everything."""
    found = [module.name for module in modules(PACKAGE) if EMPTY_NAMES & set(module.path.with_suffix("").parts)]
    assert not found


@pytest.mark.parametrize("outside", DOORS)
def test_each_outside_thing_has_one_door(outside: str) -> None:
    """Each is imported by one adapter: by one module, or by the modules of one package."""
    importers = {
        module.path.relative_to(PACKAGE)
        for module in modules(PACKAGE)
        if any(name.split(".")[0] == outside for name in _imports(module))
    }
    doors = {path if len(path.parts) == 2 else path.parent for path in importers}
    assert len(doors) <= 1, sorted(map(str, importers))
    assert all(path.as_posix().startswith(DOORS[outside]) for path in importers), sorted(map(str, importers))


def test_program_never_imports_its_tests() -> None:
    """Nothing shipped imports `tests`, and only the testing room imports pytest."""
    found = [
        f"{module.name} imports {name}"
        for module in modules(PACKAGE)
        for name in _imports(module)
        if name.split(".")[0] in {"tests", "pytest", "hypothesis"} and "/testing/" not in module.name
    ]
    assert not found


def test_no_pattern_has_a_possessive_group() -> None:
    """Python before 3.11.5 (Debian 12 has 3.11.2) matches `(...)?+` and `(?>...)` wrongly: text gets lost silently."""
    found = [
        f"{module.name}:{number}"
        for module in modules(PACKAGE)
        for number, line in enumerate(module.text.splitlines(), 1)
        if re.search(r"\br[fb]?[\"'].*(\)[*+?]\+|\(\?>)", line)
    ]
    assert not found


#: Written in pieces: this file is searched too.
_MACHINE = re.compile(r"(?<![\w.~/-])/(?:" + "work" + "|" + "root" + r")/\w")
_REGISTRIES = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "npmjs" + ".",
    "deb." + "debian",
    "proxy." + "golang",
    "docker" + ".io",
    "--index" + "-url",
    "extra-index" + "-url",
)


def _tracked() -> Iterator[Path]:
    """Yield the files that a commit of this folder would hold; in an export without git, the sources."""
    listed = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        yield from (ROOT / name for name in listed.stdout.split("\0") if name)
        return
    for folder in ("orange", "tests", "docs", "skills", "bench", ".ci"):
        yield from (path for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts)


def test_no_tracked_file_names_a_machine_or_registry() -> None:
    """Nothing committed names this machine's folders or the hosts packages came from."""
    found = []
    for path in _tracked():
        if not path.is_file() or path.is_symlink():
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        if _MACHINE.search(text) or any(host in text for host in _REGISTRIES):
            lines = enumerate(text.splitlines(), 1)
            hits = [n for n, line in lines if _MACHINE.search(line) or any(host in line for host in _REGISTRIES)]
            found.append(f"{path.relative_to(ROOT)}:{hits[:3]}")
    assert not found
