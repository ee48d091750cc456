"""One portion of a source, read into a folder of its own: shards of documents, what could not be read, and the ids.

Owns the way from entries to documents. Knows nothing about other portions, so that any process may read it; whoever has seen them
all says which of its documents another has already given. Invariant: what the folder holds depends on the task alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from touyan.core.canonical import canonical
from touyan.core.errors import Invalid, Missing
from touyan.data.columns import DocumentMaker, Roles, compile_patterns, template
from touyan.data.parser_process import ParserProcess
from touyan.data.portions import Entry, Portion
from touyan.data.reader import MAX_INFLATION, Options, Record, Unreadable, named_reader, read_file
from touyan.data.summary import Tally
from touyan.data.walk import RefusedFile
from touyan.store.formats.documents import DocumentRow, DocumentWriter

if TYPE_CHECKING:
    from touyan.data.read import ReadParams

KEY_VARIABLE = "TOUYAN_PSEUDONYM_KEY"
"""Environment variable in which the agent hands over the secret of the pseudonyms. Never a parameter: those are published."""
MIN_KEY_BYTES = 16
UNREADABLE = "unreadable.jsonl"
IDS = "ids"
"""Document ids of a portion, 32 bytes each, in order; of rows with a key, since others have one place each."""
ID_BYTES = 32


@dataclass(frozen=True, slots=True)
class PortionTask:
    """A portion and the folder that it is read into."""

    params: ReadParams
    portion: Portion
    folder: Path
    repeated: frozenset[int] = frozenset()
    """Which of its documents, counted from 0, have the key and version of an earlier one."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of a portion."""

    task: PortionTask
    shards: tuple[Path, ...]
    tally: Tally
    columns: DocumentMaker
    """Knows which of the columns that the flow names it has met."""


def options_of(params: ReadParams) -> Options:
    """What readers are told."""
    return Options(params.text, params.table, params.query, params.delimiter, params.max_document_bytes)


def read_portion(task: PortionTask, told: Callable[[int], None] = lambda documents: None) -> Reading:
    """Reads a portion, telling how many documents there are so far. Raises Invalid with `on_unreadable: fail`."""
    params = task.params
    maker = DocumentMaker(roles_of(params), pseudonym_key(params))
    tally = Tally()
    with ExitStack() as stack:
        parser = stack.enter_context(ParserProcess(params.parser_limit_s, params.parser_memory_bytes, params.max_document_bytes))
        writer = stack.enter_context(DocumentWriter(task.folder))
        listed, ids = (stack.enter_context((task.folder / name).open("wb")) for name in (UNREADABLE, IDS))
        for path, row in _made(task, _outcomes(task, parser, tally), maker, ids):
            if isinstance(row, DocumentRow):
                writer.add(row)
                tally.document(row)
                told(tally.documents)
            else:
                listed.write(canonical(_listing(path, row, params)) + b"\n")
                tally.unreadable(path, row)
    return Reading(task, tuple(writer.paths) if tally.documents else (), tally, maker)


def _made(
    task: PortionTask, outcomes: Iterable[tuple[str, Record | Unreadable]], maker: DocumentMaker, ids: BinaryIO
) -> Iterator[tuple[str, DocumentRow | Unreadable]]:
    """The documents of records; the ids of those with a key are written down."""
    keyed = 0
    for path, outcome in outcomes:
        row = maker.make(path, outcome) if isinstance(outcome, Record) else outcome
        if isinstance(row, DocumentRow) and task.params.key:
            ids.write(bytes.fromhex(row.doc_id))
            if keyed in task.repeated:
                row = Unreadable(outcome.place, "duplicate-key: an earlier document has the same key and version")
            keyed += 1
        yield path, row


def _outcomes(task: PortionTask, parser: ParserProcess, tally: Tally) -> Iterator[tuple[str, Record | Unreadable]]:
    """(path, record or reason) of every file and row; holds one document at a time."""
    options = options_of(task.params)
    for entry in task.portion:
        path = entry.file.path
        if isinstance(entry.file, RefusedFile):
            yield path, Unreadable("", entry.file.reason)
        elif entry.reader is None:
            yield path, Unreadable("", f"no-reader: no reader takes {Path(path).suffix or 'files without extension'}")
        else:
            if entry.is_first:
                tally.file(entry.reader, entry.file.size_bytes)
            for outcome in _bounded(_read(entry.reader, entry.file.absolute, entry, options, parser), entry, options):
                yield path, outcome


def _read(name: str, path: Path, entry: Entry, options: Options, parser: ParserProcess) -> Iterator[Record | Unreadable]:
    reader = named_reader(name)
    return parser.read(name, path, options) if reader.isolated else read_file(reader, path, options, entry.part)


def _bounded(outcomes: Iterator[Record | Unreadable], entry: Entry, options: Options) -> Iterator[Record | Unreadable]:
    """The outcomes, until they hold far more than the file can mean: 500 bytes of Parquet can name a text a million times."""
    allowed = left = options.max_document_bytes + MAX_INFLATION * entry.size_bytes
    for outcome in outcomes:
        if isinstance(outcome, Record):
            left -= outcome.characters
        if left < 0:
            yield Unreadable("", f"inflates: gives more than {allowed} characters; what came before is kept")
            return
        yield outcome


def _listing(path: str, row: Unreadable, params: ReadParams) -> dict[str, str]:
    place = f"{path}#{row.place}" if row.place else path
    if params.on_unreadable == "fail":
        raise Invalid("unreadable", f"{place}: {row.reason}", "repair or remove it, or set on_unreadable: list")
    return {"path": place, "reason": row.reason}


def roles_of(params: ReadParams) -> Roles:
    """Which columns play which part. Raises Invalid on a pattern that is none."""
    return Roles(
        source=f"{params.provider}/{params.source}",
        rights=params.rights,
        key=template(params.key),
        title=template(params.title),
        group=template(params.group),
        label=template(params.label),
        version=template(params.version),
        subject=template(params.subject),
        meta=tuple(params.meta),
        group_pattern=compile_patterns(tuple(params.group_pattern)),
    )


def pseudonym_key(params: ReadParams) -> bytes | None:
    """The secret key where a person's column is named. Raises Missing without one, Invalid on a weak one."""
    if not params.subject:
        return None
    key = os.environ.get(KEY_VARIABLE, "").encode()
    if not key:
        message = f"the column {params.subject!r} names persons, but there is no pseudonym key"
        raise Missing("no-pseudonym-key", message, f"set {KEY_VARIABLE} for the agent that runs this step")
    if len(key) < MIN_KEY_BYTES:
        raise Invalid(
            "weak-key", f"the pseudonym key has under {MIN_KEY_BYTES} bytes", f"set {KEY_VARIABLE} to 32 random hex digits"
        )
    return key
