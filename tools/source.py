"""Reading Python source: what a name may stand for, by the statements that bind it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module:
    """One file, with what its names stand for."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.tree = ast.parse(text, path)
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        self.imports = {
            alias.asname or alias.name: (node.module or "", alias.name)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }

    def functions_around(self, node: ast.AST) -> Iterator[Function]:
        """Yield the functions that enclose a node, innermost first."""
        return (parent for parent in self._around(node) if isinstance(parent, Function))

    def class_around(self, node: ast.AST) -> ast.ClassDef | None:
        """Return the innermost class that encloses a node, None outside of classes."""
        return next((parent for parent in self._around(node) if isinstance(parent, ast.ClassDef)), None)

    def _around(self, node: ast.AST) -> Iterator[ast.AST]:
        parent = self.parents.get(node)
        while parent is not None:
            yield parent
            parent = self.parents.get(parent)

    def where(self, node: ast.AST) -> str:
        """Return file and line of a node."""
        return f"{self.path}:{getattr(node, 'lineno', 0)}"


def keyword_of(node: ast.Call, name: str) -> ast.expr | None:
    """Return the argument that a call gives by that name, None if it gives none."""
    return next((k.value for k in node.keywords if k.arg == name), None)


def parameters_of(function: Function) -> list[str]:
    """Return the names of a function's parameters, stars left out."""
    arguments = function.args
    return [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def default_of(function: Function, name: str) -> ast.expr | None:
    """Return the default of a parameter, None if it has none."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    given = dict(
        zip([a.arg for a in positional[len(positional) - len(arguments.defaults) :]], arguments.defaults, strict=True)
    )
    given |= {a.arg: d for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None}
    return given.get(name)


def assigned(body: Sequence[ast.stmt], name: str) -> Iterator[ast.expr]:
    """Yield what statements assign to a name, also as one of several."""
    for statement in body:
        match statement:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from _matched(target, value, name)
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value) if target == name:
                yield value


def _matched(target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.expr]:
    match target, value:
        case ast.Name(id=found), _ if found == name:
            yield value
        case ast.Tuple(elts=targets), ast.Tuple(elts=values) if len(targets) == len(values):
            for one, other in zip(targets, values, strict=True):
                yield from _matched(one, other, name)


def bindings(function: Function, name: str) -> Iterator[ast.expr]:
    """Yield what a function's own statements, loops and comprehensions bind to a name."""
    for node in ast.walk(function):
        match node:
            case ast.stmt():
                yield from assigned([node], name)
                if isinstance(node, ast.For | ast.AsyncFor):
                    yield from _looped(node.target, node.iter, name)
            case ast.comprehension(target=target, iter=iterated):
                yield from _looped(target, iterated, name)


def _looped(target: ast.expr, iterated: ast.expr, name: str) -> Iterator[ast.expr]:
    if isinstance(iterated, ast.Tuple | ast.List):
        for element in iterated.elts:
            yield from _matched(target, element, name)


def attributes(module: Module, node: ast.AST, name: str) -> Iterator[ast.expr]:
    """Yield what the class around a node assigns to an attribute of its own."""
    owner = module.class_around(node)
    if owner is None:
        return
    yield from assigned(owner.body, name)
    for statement in ast.walk(owner):
        match statement:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from _matched_attribute(target, value, name)


def _matched_attribute(target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.expr]:
    match target, value:
        case ast.Attribute(value=ast.Name(id="self"), attr=found), _ if found == name:
            yield value
        case ast.Tuple(elts=targets), ast.Tuple(elts=values) if len(targets) == len(values):
            for one, other in zip(targets, values, strict=True):
                yield from _matched_attribute(one, other, name)
