"""How far a withdrawal reaches: from a selector to the Assets, files and Jobs that it touches.

Precise where tables name their documents (see `holdings.py`), conservative elsewhere: a model, a tokenizer or a report is reached
as soon as one of its inputs is. Pure reading: nothing is changed here. Invariant: what is not reached was shown not to hold it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, select

from touyan.core.asset import Manifest, read_manifest
from touyan.core.statement import Selector
from touyan.store import tables as t
from touyan.store.holdings import TABULAR, Found, Holdings

RAW = frozenset({"source", "feedback"})
"""Kinds that hold documents as they came, without tables of them."""
CHUNK = 500
"""Values in one SQL list: SQLite takes 32,766 parameters at most, PostgreSQL 65,535."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked for, and in which sources."""

    project: str
    selector: Selector
    value: str
    source: str = ""
    """`provider/name`; empty: every source of the project."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a selector touches, in the order of publication."""

    documents: frozenset[Found] = frozenset()
    assets: Mapping[str, Manifest] = field(default_factory=dict[str, Manifest])
    """Reached Assets by id."""
    paths: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """By Asset of data: the paths whose files hold a document, or cannot be shown to be free of it."""

    @property
    def count(self) -> int:
        """How many documents were found; one document stands in many tables."""
        return len({f.doc_id for f in self.documents})

    def of_kind(self, kind: str) -> tuple[str, ...]:
        return tuple(i for i, m in self.assets.items() if m.kind == kind)

    def digests(self) -> dict[str, int]:
        """sha256 and size in bytes of the files at `paths`."""
        files = ((f, self.paths.get(i, frozenset[str]())) for i, m in self.assets.items() for f in m.files)
        return {f.sha256: f.size_bytes for f, paths in files if f.path in paths}


def find(assets: Mapping[str, Manifest], scope: Scope, holdings: Holdings) -> Reach:
    """The reach of `scope` among all Assets of its project, given in the order of publication (inputs come first)."""
    found = _matching(_related(assets, scope), scope, holdings)
    scope = settled(scope, found)
    related = _related(assets, scope)
    documents = {f.doc_id for f in found} | ({scope.value} if scope.selector == "document" else set())
    unread = _unread(related)
    reached: dict[str, Manifest] = {}
    paths: dict[str, frozenset[str]] = {}
    for identifier, manifest in related.items():
        if _is_outside(manifest):
            held = _raw_paths(manifest, scope, found, identifier in unread)
        elif manifest.kind in TABULAR:
            held = _table_paths(manifest, holdings.holding(manifest, documents))
        else:
            held = set[str]() if any(i.asset in reached for i in manifest.inputs) else None
        if held is not None:
            reached[identifier], paths[identifier] = manifest, frozenset(held)
    return Reach(found, reached, paths)


def settled(scope: Scope, found: Iterable[Found]) -> Scope:
    """The scope with the source that it turns out to speak of: a doc_id belongs to one source, a person may be in any."""
    if scope.selector == "source":
        return replace(scope, source=scope.value)
    sources = {f.source for f in found if f.source}
    is_one = scope.selector == "document" and not scope.source and len(sources) == 1
    return replace(scope, source=sources.pop()) if is_one else scope


def load(connection: Connection, project: str) -> dict[str, Manifest]:
    """The manifests of a project's Assets in the order of publication."""
    query = select(t.asset.c.id, t.asset.c.manifest).where(t.asset.c.project == project).order_by(t.asset.c.seq)
    return {identifier: read_manifest(bytes(data)) for identifier, data in connection.execute(query)}


def needed_elsewhere(connection: Connection, project: str, digests: Collection[str], reached: Collection[str]) -> set[str]:
    """Those of `digests` that another project holds, or an Asset of this one that was not reached."""
    kept: set[str] = set()
    for chunk in _chunks(digests):
        query = select(t.asset_file.c.sha256, t.asset.c.id, t.asset.c.project)
        query = query.join(t.asset, t.asset.c.id == t.asset_file.c.asset).where(t.asset_file.c.sha256.in_(chunk))
        kept |= {sha for sha, asset, where in connection.execute(query) if where != project or asset not in reached}
    return kept


def _related(assets: Mapping[str, Manifest], scope: Scope) -> dict[str, Manifest]:
    """The Assets from outside within the scope, and everything made from them."""
    wanted = scope.value if scope.selector == "source" else scope.source
    found: dict[str, Manifest] = {}
    for identifier, manifest in assets.items():
        is_root = _is_outside(manifest) and (manifest.provider == wanted if wanted else manifest.kind in RAW)
        if is_root or any(i.asset in found for i in manifest.inputs):
            found[identifier] = manifest
    return found


def _matching(related: Mapping[str, Manifest], scope: Scope, holdings: Holdings) -> frozenset[Found]:
    tabular = [m for m in related.values() if m.kind in TABULAR]
    return frozenset(f for m in tabular for f in holdings.matching(m, scope.selector, scope.value))


def _is_outside(manifest: Manifest) -> bool:
    return manifest.step_key == "" and manifest.kind != "exclusions"


def _unread(related: Mapping[str, Manifest]) -> set[str]:
    """Raw Assets that no table speaks of yet: what they hold is not known."""
    read = {i.asset for m in related.values() if m.kind == "documents" for i in m.inputs}
    return {i for i, m in related.items() if _is_outside(m) and i not in read}


def _raw_paths(manifest: Manifest, scope: Scope, found: Iterable[Found], is_unread: bool) -> set[str] | None:
    """The raw files that may hold a document; None where the Asset holds none."""
    everything = {f.path for f in manifest.files}
    if scope.selector == "source" or is_unread:
        return everything
    wanted = {f.raw_sha256 for f in found if f.source == manifest.provider}
    if not wanted:
        return set() if scope.selector == "document" and scope.source == manifest.provider else None
    # A document that is no file of its own lies somewhere in the containers: a database, a table, an archive.
    is_all_single = wanted <= {f.sha256 for f in manifest.files}
    return {f.path for f in manifest.files if f.sha256 in wanted} if is_all_single else everything


def _table_paths(manifest: Manifest, held: set[str]) -> set[str] | None:
    """With the tables that hold a document go the files beside them: summaries quote samples."""
    return held | {f.path for f in manifest.files if not f.path.endswith((".parquet", ".bin"))} if held else None


def _chunks(values: Collection[str]) -> Iterable[list[str]]:
    ordered = sorted(values)
    return (ordered[i : i + CHUNK] for i in range(0, len(ordered), CHUNK))
