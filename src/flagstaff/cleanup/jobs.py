"""Where do the losing names of background jobs stand, and are they still needed?"""

# ruff: noqa: N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import libcst as cst

from flagstaff.cleanup.changes import OldJob
from flagstaff.cleanup.declared_jobs import Declared
from flagstaff.cleanup.declared_routes import ROUTES, Routing, routing
from flagstaff.cleanup.elsewhere import Elsewhere
from flagstaff.cleanup.evaluate import Sweeper
from flagstaff.cleanup.literals import without_names
from flagstaff.cleanup.markers import Gone
from flagstaff.cleanup.python_files import PythonCleaner
from flagstaff.cleanup.renames import (
    JobRemover,
    Losers,
    job_definitions,
    module_name,
    queue_uses,
)
from flagstaff.cleanup.syntax import parsed
from flagstaff.cleanup.tree import Overlay, Tree
from flagstaff.cleanup.unused import uses


def decided(
    work: Tree, jobs: Mapping[OldJob, tuple[str, str]], *, keep: bool
) -> tuple[Declared, ...]:
    """Return what becomes of jobs that the code gives two names; without those it cannot tell of.

    Whose body is not found, or found twice, stays declared. `jobs` says of each in which file, and
    of which application.
    """
    found = []
    for job in jobs:
        made = Declared.of(job, keep=keep)
        lost, kept = _bodies(work, made.lost), _bodies(work, made.kept)
        if lost > 1 or kept > 1 or not lost + kept:
            continue
        if made.queue is not None:
            modules = _modules(work, made.lost, made.kept, ROUTES, ROUTES.upper())
            how = routing(modules, made.lost, made.kept, made.queue)
            made = dataclasses.replace(made, routing=how)
        found.append(dataclasses.replace(made, has_one_body=not kept))
    places = {jobs[each.job] for each in found if each.routing is Routing.MADE}
    if len(places) > 1:  # the routes that one of them makes would be those of the other no more
        found = [_by_itself(each) for each in found]
    return tuple(found)


def _by_itself(job: Declared) -> Declared:
    """Return a job that says its queue itself, where routes were to be made."""
    return dataclasses.replace(job, routing=Routing.OWN) if job.routing is Routing.MADE else job


def _bodies(work: Tree, name: str) -> int:
    """Return how many functions and classes are the job of a name."""
    names = Losers(flag="", jobs=((name, name),))
    found = 0
    for path in work.containing({name, name.rpartition(".")[2]}):
        if path.endswith(".py"):
            here = dataclasses.replace(names, module=module_name(path))
            module = _module(work.read(path))
            found += 0 if module is None else len(job_definitions(module, here))
    return found


def _modules(work: Tree, *words: str) -> Iterator[ast.AST]:
    for path in work.containing(words):
        module = parsed(work.read(path) or b"") if path.endswith(".py") else None
        if module is not None:
            yield module


@dataclass(frozen=True, slots=True)
class JobCleaner:
    """Takes the losing jobs out of the files of `work`."""

    work: Overlay
    python: PythonCleaner
    names: Losers

    def clean(self) -> Losers:
        """Rewrite the files; return the names with the queues that others still need left out."""
        names = dataclasses.replace(self.names, queues=self._free_queues())
        if not names.jobs and not names.queues:
            return names
        for path in self._files(names):
            here = dataclasses.replace(names, module=module_name(path))
            defined = self._defined(path, here.without_one_body)
            kept = frozenset(name for name in defined if self._is_called(path, name, here))
            self.python.rewrite(path, losers=dataclasses.replace(here, kept=kept))
            for name in sorted(set(defined) - kept):
                self._drop_imports(path, name)
        return names

    def _files(self, names: Losers) -> list[str]:
        jobs = {*(old for old, _ in names.jobs), *(each.kept for each in names.declared)}
        needles = {part for job in jobs for part in (job, job.rpartition(".")[2])}
        if any(each.routing is Routing.ADDED for each in names.declared):
            needles |= {ROUTES, ROUTES.upper()}
        found = self.work.containing({self.names.flag, *needles, *names.queues})
        return [path for path in found if path.endswith(".py")]

    def _free_queues(self) -> frozenset[str]:
        return frozenset(queue for queue in self.names.queues if not self._is_needed(queue))

    def _is_needed(self, queue: str) -> bool:
        for path in self.work.containing((queue,)):
            module = parsed(self.work.read(path) or b"") if path.endswith(".py") else None
            if module and any(queue_uses(module, queue, self.names)):
                return True
        return False

    def _defined(self, path: str, names: Losers) -> tuple[str, ...]:
        module = self._module(path)
        return job_definitions(module, names) if module else ()

    def _is_called(self, path: str, name: str, names: Losers) -> bool:
        """Tell whether anything but imports would miss a job's function."""
        module = self._module(path)
        rest = module and module.visit(JobRemover(names))
        if isinstance(rest, cst.Module) and uses(rest).read[name]:
            return True
        return any(self._reads(other, name) for other in Elsewhere(self.work, path).importers(name))

    def _reads(self, path: str, name: str) -> bool:
        module = self._module(path)
        if module is None:
            return True
        attributes = _Attributes(name)
        module.visit(attributes)
        return attributes.found or uses(module).read[name] > 0

    def _drop_imports(self, path: str, name: str) -> None:
        for other in Elsewhere(self.work, path).importers(name):
            module = self._module(other)
            if module is None:
                continue
            changed = module.visit(_Unimport(name))
            swept = changed.visit(Sweeper()) if isinstance(changed, cst.Module) else module
            if isinstance(swept, cst.Module) and swept.code != module.code:
                self.work.write(other, swept.bytes)

    def _module(self, path: str) -> cst.Module | None:
        return _module(self.work.read(path))


def _module(content: bytes | None) -> cst.Module | None:
    try:
        return cst.parse_module(content or b"")
    except (cst.ParserSyntaxError, UnicodeDecodeError):
        return None


class _Attributes(cst.CSTVisitor):
    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.found = False

    def visit_Attribute(self, node: cst.Attribute) -> None:
        self.found = self.found or node.attr.value == self._name


class _Unimport(cst.CSTTransformer):
    """Drop one name from the imports of a module that does not use it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def leave_ImportFrom(
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.ImportFrom | Gone:
        del original_node
        if isinstance(updated_node.names, cst.ImportStar):
            return updated_node
        doomed = [alias.evaluated_name == self._name for alias in updated_node.names]
        if not any(doomed):
            return updated_node
        kept = without_names(updated_node.names, doomed)
        if not kept:
            return Gone()
        return updated_node.with_changes(names=kept)
