"""What a `_target_` says about itself, read from its source without importing it."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

YEAR = re.compile(r"(\(|[A-Z]\w+ |al\.\s)(1[89]|20)\d\d\b")  # (1994), Elman 1990, Cho et al. 2014


@dataclass(frozen=True)
class Target:
    """A class or function: where it stands and how it is documented."""

    file: Path
    sentence: str  # the first of its docstring, else of the file's
    reference: str
    classes: frozenset[str] = frozenset()  # of models that it belongs to


def find(dotted: str) -> Target | None:
    """The target with this dotted name; None if its source is not at hand."""
    module, _, name = dotted.rpartition(".")
    file = file_of(module)
    if file is None:
        return None
    tree = _parse(file)
    nodes = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef)}
    node = nodes.get(name)
    docs = [ast.get_docstring(part) or "" for part in (node, tree) if part]
    cite = f" [{key}]" if node and (key := _cite(node, nodes)) else ""
    reference = next((found for doc in docs if (found := _reference(doc))), "")
    return Target(
        file=file,
        sentence=sentence(next(filter(None, docs), "")),
        reference=f"{reference}{cite}".strip(),
        classes=_words(_attribute(node, nodes, "classes")) if node else frozenset(),
    )


def docstring(module: str) -> str:
    """What a module says at its head; "" where its source is not at hand."""
    file = file_of(module)
    return (ast.get_docstring(_parse(file)) or "") if file else ""


def idea(dotted: str) -> str:
    """The docstring of the file of a target, its equations as they stand; "" where it has none."""
    file = file_of(dotted.rpartition(".")[0])
    return ast.get_docstring(_parse(file)) or "" if file else ""


def sentence(doc: str) -> str:
    """The first sentence, without its full stop."""
    paragraph = " ".join(doc.partition("\n\n")[0].split())
    return re.split(r"(?<=[^.])\.(?= [A-Z`]|$)", paragraph, maxsplit=1)[0]


def file_of(module: str) -> Path | None:
    """The file of a module, found without importing it; None where it is no Python file.

    Python is asked only for the outermost package; the rest is looked for in its folders.
    """
    top, *parts = module.split(".")
    spec = _spec(top)
    if spec and not parts:
        return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None
    for root in (spec.submodule_search_locations or []) if spec else []:
        path = Path(root, *parts)
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
    return None


def is_importable(top: str) -> bool:
    """Is there a module or package of this name, installed or in the working folder?"""
    return top.isidentifier() and _spec(top) is not None


def is_own(top: str) -> bool:
    """Is it the working folder that has it?"""
    return top.isidentifier() and PathFinder.find_spec(top, [str(Path.cwd())]) is not None


def _spec(top: str) -> ModuleSpec | None:
    """As for an import, with the working folder as the last place to look; imports nothing."""
    try:
        found = importlib.util.find_spec(top)
    except (ImportError, ValueError):  # not a name; or one that was made by hand
        return None
    return found or PathFinder.find_spec(top, [str(Path.cwd())])


@cache
def _parse(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def _cite(node: ast.AST, nodes: Mapping[str, ast.AST]) -> str:
    """The class attribute `cite`: the key of an entry, or of the entry that stands there."""
    value = _attribute(node, nodes, "cite")
    cite = str(value.value) if isinstance(value, ast.Constant) else ""
    return re.sub(r"@\w+\{\s*([^,\s]*).*", r"\1", cite, flags=re.DOTALL).strip()


def _words(value: ast.AST | None) -> frozenset[str]:
    """The words in an expression such as frozenset({"direct", "graph"})."""
    parts = ast.walk(value) if value else ()
    found = (part.value for part in parts if isinstance(part, ast.Constant))
    return frozenset(word for word in found if isinstance(word, str))


def _attribute(node: ast.AST, nodes: Mapping[str, ast.AST], name: str) -> ast.AST | None:
    """The value of a class attribute, own or of a base in the same file."""
    if not isinstance(node, ast.ClassDef):
        return None
    for part in node.body:
        to = part.targets if isinstance(part, ast.Assign) else [getattr(part, "target", None)]
        if any(getattr(target, "id", "") == name for target in to):
            return getattr(part, "value", None)
    bases = (nodes.get(getattr(base, "id", "")) for base in node.bases)
    inherited = (_attribute(base, nodes, name) for base in bases if base)
    return next((value for value in inherited if value), None)


def _reference(doc: str) -> str:
    """The sentences of a docstring that name a work and its year."""
    parts = re.split(r"\n\s*\n", doc)
    return next((" ".join(found) for part in parts if (found := _with_year(part))), "")


def _with_year(paragraph: str) -> list[str]:
    # a sentence ends with its line, or after a small word: "it." does, "J. Stat. Softw." does not
    ends = re.sub(r"(\.\n|\b[a-z]+[.:]\s)\s*(?=[A-Z])", r"\1\0", paragraph)
    return [" ".join(text.split()) for text in ends.split("\0") if YEAR.search(text)]
