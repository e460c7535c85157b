"""Finds every AWS call that the code makes, by reading the source: which operation, through which role.

A call is `….cloud.call("service", "Operation", …)` or `.pages(…)`, or goes through a *wrapper*: a function that
hands its own parameters on as service, operation or role. Strings may be literals, constants of a module,
either side of an `if` expression, or what a `for` runs over. Whatever can't be resolved raises Unresolvable:
a call that nobody can name would be missing in the policies.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tools.source import Function, Module, assigned, attributes, bindings, default_of, keyword_of, parameters_of

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("bot", "intents", "adapters")
PORT = {"adapters/aws"}
"""Carries the calls of others out."""
NO_CLOUD = {"adapters/lex/engine", "adapters/slack", "adapters/teams"}
"""Call nothing of AWS; some have a `call` of their own."""
METHODS = ("call", "pages")
OWN, MANAGEMENT, MEMBER, DEPLOYER = "own", "management", "member", "deployer"
CHAOS, TOOLCHAIN = "chaos", "toolchain"
DEPLOYING = {"adapters/lex/building"}
"""Called by whoever deploys, from a shell, and by no bot: their own identity is another."""


class Unresolvable(Exception):
    """A call whose service, operation or role can't be told from the source; the message names file and line."""


@dataclass(frozen=True, order=True)
class Call:
    """One operation called with one of the roles: own (none), management, member, chaos, toolchain or deployer."""

    capability: str
    service: str
    operation: str
    role: str
    where: str = field(compare=False)


@dataclass(frozen=True)
class _Parameter:
    """A value that a function gets from its caller."""

    name: str


_Values = frozenset[str] | _Parameter


@dataclass(frozen=True)
class _Wrapper:
    """A function that hands service, operation or role on; `path` is where it stands."""

    name: str
    path: str
    function: Function
    service: _Values
    operation: _Values
    role: _Values


def capability_of(path: str) -> str:
    """Return the capability that a file belongs to: its folder under intents/ or adapters/, else core or doctor."""
    parts = path.split("/")
    if path.rpartition("/")[0] in DEPLOYING:
        return f"{parts[1]}_{parts[2]}"
    if "doctor" in parts or parts[-1] == "doctor.py":
        return "doctor"
    if parts[0] == "bot":
        return "audit" if parts[1] == "audit" else "core"
    return parts[1]


@cache
def find_calls(root: Path = ROOT) -> tuple[Call, ...]:
    """Return all calls, sorted, each once per capability and role; raises Unresolvable."""
    files = sorted(file for folder in FOLDERS for file in (root / folder).rglob("*.py"))
    texts = {str(file.relative_to(root)): file.read_text(encoding="utf-8") for file in files}
    return tuple(calls_in(texts))


def calls_in(texts: dict[str, str]) -> list[Call]:
    """Return the calls in these files, given by path; raises Unresolvable."""
    skipped = tuple(f"{folder}/" for folder in NO_CLOUD)
    modules = [Module(path, text) for path, text in texts.items() if not path.startswith(tuple(f"{f}/" for f in PORT))]
    for module in (m for m in modules if m.path.startswith(skipped)):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.expr) and _is_port(node):
                raise Unresolvable(f"{module.where(node)}: {module.path} is listed as calling nothing of AWS.")
    return _Reader([m for m in modules if not m.path.startswith(skipped)]).read()


class _Reader:
    def __init__(self, modules: Sequence[Module]) -> None:
        self._modules = modules
        self._by_name = {m.path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): m for m in modules}
        self._wrappers: list[_Wrapper] = []
        self._found: dict[Call, None] = {}
        self._read: set[tuple[str, int, int, int]] = set()
        """Sites that are done with, by the wrapper they go through (0: the port itself)."""

    def read(self) -> list[Call]:
        known = -1
        while known != len(self._wrappers):
            known = len(self._wrappers)
            for module in self._modules:
                for node in ast.walk(module.tree):
                    if isinstance(node, ast.Call):
                        self._read_site(module, node)
        for module in self._modules:
            self._refuse_the_rest(module)
        return sorted(self._found)

    def _read_site(self, module: Module, node: ast.Call) -> None:
        if _is_port(node.func):
            self._resolve(module, node, None)
            return
        for number, wrapper in enumerate(self._wrappers, 1):
            if self._reaches(module, node, wrapper):
                self._resolve(module, node, (number, wrapper))

    def _reaches(self, module: Module, node: ast.Call, wrapper: _Wrapper) -> bool:
        """Tell whether a call may be one of that wrapper: by its name, where that can be seen."""
        name = _called(node.func)
        if name != wrapper.name:
            return False
        if module.path == wrapper.path:
            return True
        if name.startswith("_"):
            return False
        return wrapper.path.startswith("bot/") or capability_of(wrapper.path) == capability_of(module.path)

    def _resolve(self, module: Module, node: ast.Call, through: tuple[int, _Wrapper] | None) -> None:
        number = through[0] if through else 0
        site = (module.path, node.lineno, node.col_offset, number)
        if site in self._read:
            return
        self._read.add(site)
        if through is None:
            service = self._argument(module, node, 0, "service")
            operation = self._argument(module, node, 1, "operation")
            role = self._role(module, node, keyword_of(node, "role"))
        else:
            wrapper = through[1]
            service = self._bound(module, node, wrapper, wrapper.service, is_role=False)
            operation = self._bound(module, node, wrapper, wrapper.operation, is_role=False)
            role = self._bound(module, node, wrapper, wrapper.role, is_role=True)
        if any(isinstance(value, _Parameter) for value in (service, operation, role)):
            function = next(module.functions_around(node))
            self._wrappers.append(_Wrapper(function.name, module.path, function, service, operation, role))
            return
        if isinstance(service, frozenset) and isinstance(operation, frozenset) and isinstance(role, frozenset):
            if module.path.rpartition("/")[0] in DEPLOYING:
                role = frozenset(DEPLOYER if one == OWN else one for one in role)
            for one in ((s, o, r) for s in service for o in operation for r in role):
                self._found[Call(capability_of(module.path), *one, where=module.where(node))] = None

    def _argument(self, module: Module, node: ast.Call, position: int, what: str) -> _Values:
        if len(node.args) <= position or any(isinstance(a, ast.Starred) for a in node.args[: position + 1]):
            raise Unresolvable(f"{module.where(node)}: the {what} is not written as an argument of its own.")
        return self._strings(module, node.args[position], what)

    def _bound(self, module: Module, node: ast.Call, wrapper: _Wrapper, values: _Values, *, is_role: bool) -> _Values:
        """Return what a wrapper's value is at one of its calls."""
        if not isinstance(values, _Parameter):
            return values
        arguments = wrapper.function.args
        names = [a.arg for a in (*arguments.posonlyargs, *arguments.args) if a.arg not in ("self", "cls")]
        given = keyword_of(node, values.name)
        if given is None and values.name in names and len(node.args) > names.index(values.name):
            taken = node.args[: names.index(values.name) + 1]
            if any(isinstance(a, ast.Starred) for a in taken):
                raise Unresolvable(f"{module.where(node)}: {values.name} of {wrapper.name} is hidden behind a star.")
            given = taken[-1]
        home = module
        if given is None:
            given, home = default_of(wrapper.function, values.name), self._module_of(wrapper)
        if given is None:
            raise Unresolvable(f"{module.where(node)}: {wrapper.name} is called without its {values.name}.")
        return self._role(home, node, given) if is_role else self._strings(home, given, values.name)

    def _module_of(self, wrapper: _Wrapper) -> Module:
        return next(m for m in self._modules if m.path == wrapper.path)

    # ------------------------------------------------------------------------------ values

    def _strings(self, module: Module, node: ast.expr, what: str) -> _Values:
        match node:
            case ast.Constant(value=str(text)):
                return frozenset((text,))
            case ast.IfExp(body=body, orelse=orelse):
                return self._union(module, node, (body, orelse), what)
            case ast.Name(id=name):
                return self._named(module, node, name, what)
            case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
                found = list(attributes(module, node, attribute))
                if found:
                    return self._union(module, node, found, what)
        raise Unresolvable(f"{module.where(node)}: the {what} can't be told from the source: {ast.unparse(node)}.")

    def _union(self, module: Module, node: ast.expr, parts: Sequence[ast.expr], what: str) -> _Values:
        found = [self._strings(module, part, what) for part in parts]
        sets = [values for values in found if isinstance(values, frozenset)]
        if len(sets) == len(found):
            return frozenset().union(*sets)
        if len(found) == 1:
            return found[0]
        raise Unresolvable(f"{module.where(node)}: the {what} is a parameter in one case only.")

    def _named(self, module: Module, node: ast.expr, name: str, what: str) -> _Values:
        for function in module.functions_around(node):
            bound = list(bindings(function, name))
            if bound:
                return self._union(module, node, bound, what)
            if name in parameters_of(function):
                return _Parameter(name)
        bound = [value for value in assigned(module.tree.body, name)]
        if bound:
            return self._union(module, node, bound, what)
        if name in module.imports:
            origin, original = module.imports[name]
            other = self._by_name.get(origin)
            if other:
                return self._union(other, node, list(assigned(other.tree.body, original)), what)
        raise Unresolvable(f"{module.where(node)}: nothing says what {name} is, the {what} of a call.")

    def _role(self, module: Module, site: ast.AST, node: ast.expr | None) -> _Values:
        match node:
            case None | ast.Constant(value=""):
                return frozenset((OWN,))
            case ast.Attribute(attr="management_role_arn" | "insights_role_arn"):
                # The role for insights stands in for the management role: whichever it is needs the same.
                return frozenset((MANAGEMENT,))
            case ast.Attribute(attr="toolchain_role_arn"):
                return frozenset((TOOLCHAIN,))
            case ast.Attribute(value=ast.Name(id="place"), attr="role"):
                return frozenset((CHAOS,))  # a place of experiments is led into by one of CHAOS_ROLE_ARN
            case ast.Call(func=ast.Attribute(attr="member_role")):
                return frozenset((MEMBER,))
            case ast.IfExp(body=body, orelse=orelse) | ast.BoolOp(values=[body, orelse]):
                parts = [self._role(module, site, part) for part in (body, orelse)]
                sets = [part for part in parts if isinstance(part, frozenset)]
                if len(sets) == len(parts):
                    return frozenset().union(*sets)
            case ast.Name(id=name):
                for function in module.functions_around(node):
                    bound = list(bindings(function, name))
                    if len(bound) == 1:
                        return self._role(module, site, bound[0])
                    if name in parameters_of(function):
                        return _Parameter(name)
            case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
                found = list(attributes(module, node, attribute))
                if len(found) == 1:
                    return self._role(module, site, found[0])
        raise Unresolvable(
            f"{module.where(site)}: the role can't be told from the source: {ast.unparse(node)}. "
            "Write settings.management_role_arn or settings.member_role(…) there."
        )

    # ------------------------------------------------------------------------------ what is left

    def _refuse_the_rest(self, module: Module) -> None:
        """Raise Unresolvable for what looks like a call of AWS and was not read."""
        sites = {(path, line, column) for path, line, column, _ in self._read}
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and node.attr in METHODS and _is_cloud(node.value):
                parent = module.parents.get(node)
                if not (isinstance(parent, ast.Call) and parent.func is node):
                    raise Unresolvable(f"{module.where(node)}: {ast.unparse(node)} is handed on; call it there.")
            if not isinstance(node, ast.Call) or _called(node.func) not in METHODS or len(node.args) < 2:
                continue
            if (module.path, node.lineno, node.col_offset) not in sites:
                raise Unresolvable(f"{module.where(node)}: can't tell whether {ast.unparse(node.func)} calls AWS.")


def _is_cloud(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.endswith("cloud")
    return False


def _is_port(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in METHODS and _is_cloud(node.value)


def _called(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
