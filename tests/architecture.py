"""The rules of ARCHITECTURE.md, checked on the syntax tree: what a module imports and what it touches.

An import inside a function, or for type checking only, counts like any other.
"""

import ast
import builtins
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

Modules = Mapping[str, ast.Module]

# From left to right: a room imports rooms to its left, and itself. The longest name that fits is a module's room.
ORDER: Final[Sequence[Sequence[str]]] = (
    ("bridge",),
    ("bridge.errors", "bridge.records"),
    ("bridge.config", "bridge.telemetry"),
    ("bridge.optoro", "bridge.transforms", "bridge.avro", "bridge.kafka"),
    ("bridge.webhook.authentication",),
    ("bridge.pipeline",),
    ("bridge.worker",),
    ("bridge.webhook", "bridge.connect"),
    ("bridge.definitions", "bridge.listeners"),
    ("bridge.app",),
    ("bridge.process", "bridge.rotation", "bridge.embedded", "bridge.simulator"),
    ("bridge.cli",),
    ("bridge.__main__",),
)
TESTING: Final = "bridge.testing"  # imports anything, and nothing imports it

HOMES: Final[Mapping[str, Sequence[str]]] = {
    "confluent_kafka": ("bridge.kafka", "bridge.embedded"),
    "fastavro": ("bridge.avro",),
    "httptools": (),
    "httpx2": ("bridge.avro.registry",),
    "jiter": ("bridge.optoro",),
    "opentelemetry": ("bridge.telemetry",),
    "prometheus_client": ("bridge.telemetry",),
    "pydantic": ("bridge.config", "bridge.optoro"),
    "pydantic_core": ("bridge.config", "bridge.optoro"),
    "starlette": ("bridge.webhook", "bridge.connect", "bridge.embedded", "bridge.app"),
    "starlette.types": ("bridge.webhook", "bridge.connect", "bridge.embedded", "bridge.app", "bridge.listeners"),
    "uvicorn": ("bridge.listeners",),
    "uvloop": ("bridge.cli",),
}
FREE: Final = frozenset({"typing_extensions"})  # types only, at home everywhere

ENVIRONMENT: Final = ("os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv", "os.unsetenv")
PROCESS_ENDS: Final = ("sys.exit", "os._exit", "os.abort", "os.kill", "exit", "quit", "SystemExit")
# time.monotonic and time.perf_counter only measure, so they may be read anywhere.
CHANCE: Final = (
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "uuid",
    "secrets",
    "os.urandom",
    "random",
)
CHANCE_TYPES: Final = ("random.Random",)  # as the type of an argument


def read_modules(folder: Path) -> dict[str, ast.Module]:
    """The package in `folder`, by module name."""
    modules = {}
    for path in sorted(folder.rglob("*.py")):
        parts = (folder.name, *path.relative_to(folder).with_suffix("").parts)
        name = ".".join(part for part in parts if part != "__init__")
        modules[name] = ast.parse(path.read_text(), str(path))
    return modules


def wrong_direction(modules: Modules) -> list[str]:
    """Imports to the right, or to another room of the same rank, and modules that have no rank."""
    problems = [f"{name} has no place in the order" for name in modules if name != TESTING and _room(name) is None]
    for importer, imported in _edges(modules):
        if importer == TESTING:
            continue
        if imported == TESTING:
            problems.append(f"{importer} imports {TESTING}")
        elif _is_wrong(_room(importer), _room(imported)):
            problems.append(f"{importer} imports {imported}")
    return problems


def cycles(modules: Modules) -> list[str]:
    """Modules that, step by step, import themselves."""
    imports: dict[str, set[str]] = {name: set() for name in modules}
    for importer, imported in _edges(modules):
        imports[importer].add(imported)
    return [f"{name} imports itself in the end" for name in modules if name in _reachable(name, imports)]


def away_from_home(modules: Modules) -> list[str]:
    """Third-party packages outside of their homes, and such as have none."""
    problems = []
    for name, tree in modules.items():
        for imported in _imported_names(tree):
            homes = _homes(imported)
            if name != TESTING and homes is not None and not _is_below(name, homes):
                problems.append(f"{name} imports {imported}")
    return problems


def environment_readers(modules: Modules) -> list[str]:
    """Uses of the environment outside of config/."""
    return _uses(modules, ENVIRONMENT, allowed=("bridge.config",))


def process_enders(modules: Modules) -> list[str]:
    """Ends of the process outside of cli/."""
    return _uses(modules, PROCESS_ENDS, allowed=("bridge.cli", "bridge.__main__"))


def chance_takers(modules: Modules, *, allowed: Sequence[str]) -> list[str]:
    """Wall clocks, ids and randomness that are not arguments; the default of an argument is one."""
    return _uses(modules, CHANCE, allowed=allowed, besides=CHANCE_TYPES)


def _uses(modules: Modules, names: Sequence[str], *, allowed: Sequence[str], besides: Sequence[str] = ()) -> list[str]:
    return [
        f"{module} uses {used} in line {line}"
        for module, tree in modules.items()
        if not _is_below(module, allowed)
        for used, line in _used_names(tree)
        if _is_below(used, names) and not _is_below(used, besides)
    ]


def _room(name: str) -> tuple[int, str] | None:
    """A module's rank and room."""
    rooms = [(rank, room) for rank, row in enumerate(ORDER) for room in row]
    fitting = [(rank, room) for rank, room in rooms if name == room or (room != "bridge" and _is_below(name, [room]))]
    return max(fitting, key=lambda ranked: len(ranked[1]), default=None)


def _is_wrong(importer: tuple[int, str] | None, imported: tuple[int, str] | None) -> bool:
    if importer is None or imported is None or importer == imported:
        return False
    return imported[0] >= importer[0]


def _is_below(name: str, roots: Sequence[str]) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def _homes(imported: str) -> Sequence[str] | None:
    """Where a package may be imported; None for ours, the standard library's and the free ones."""
    top = imported.partition(".")[0]
    if imported.startswith("starlette.types"):
        return HOMES["starlette.types"]
    if top == "bridge" or top in FREE or top in sys.stdlib_module_names:
        return None
    return HOMES.get(top, ())


def _edges(modules: Modules) -> Iterator[tuple[str, str]]:
    for name, tree in modules.items():
        for imported in _imported_names(tree):
            target = imported if imported in modules else imported.rpartition(".")[0]
            if target in modules and target != name:
                yield name, target


def _imported_names(tree: ast.Module) -> Iterator[str]:
    """What is imported, wherever in the module; `from a import b` is a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"a relative import in line {node.lineno} hides what it imports"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _used_names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Each name that is read outside of arguments' defaults, in full, and its line."""
    full_names = _full_names(tree)
    in_defaults = {id(node) for default in _defaults(tree) for node in ast.walk(default)}
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and id(node) not in in_defaults | inner:
            first, dot, rest = ast.unparse(node).partition(".") if _is_dotted(node) else ("", "", "")
            if first in full_names or hasattr(builtins, first):
                yield full_names.get(first, first) + dot + rest, node.lineno


def _full_names(tree: ast.Module) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            tops = [alias.name.partition(".")[0] for alias in node.names if alias.asname is None]
            names |= dict(zip(tops, tops, strict=True))
            names |= {alias.asname: alias.name for alias in node.names if alias.asname is not None}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _defaults(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            yield from (default for default in [*node.defaults, *node.kw_defaults] if default is not None)


def _is_dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _reachable(name: str, imports: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    ahead = [*imports[name]]
    while ahead:
        module = ahead.pop()
        if module not in seen:
            seen.add(module)
            ahead += imports[module]
    return seen
