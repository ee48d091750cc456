"""The step `read`: a source becomes documents, and everything that could not be read is listed with its reason.

Owns the order of work: walk the files, choose a reader, turn records into documents, write shards, list, describe. Knows
nothing about single formats. Invariant: every file and row of the source ends either as a document or as a line of
`unreadable.jsonl`, and the output is a function of the source, the parameters and the secret key alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from touyan.core.canonical import canonical, digest, parse
from touyan.core.errors import Invalid, Missing
from touyan.core.rights import Rights, rights_from_json
from touyan.data.columns import DocumentMaker, Roles, compile_patterns, template
from touyan.data.croissant import Dataset, croissant_record
from touyan.data.parser_process import ParserProcess
from touyan.data.reader import (
    MAX_INFLATION,
    Options,
    Reader,
    Record,
    Unreadable,
    named_reader,
    read_file,
    reader_name,
)
from touyan.data.seen import SeenDocuments
from touyan.data.summary import Tally
from touyan.data.walk import FoundFile, RefusedFile, walk
from touyan.flow.step import InputSpec, StepSpec, Work
from touyan.store.formats.documents import DocumentRow, DocumentWriter

KEY_VARIABLE = "TOUYAN_PSEUDONYM_KEY"
"""Environment variable in which the agent hands over the secret of the pseudonyms. Never a parameter: those are published."""
MIN_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class ReadParams:
    """Parameters of `read`. A column parameter takes a column name, or a template such as `{law_name} {article_no}`."""

    source: str = ""
    """Name of the source; filled in by the planner, as are `provider`, `rights` and `rights_record`."""
    provider: str = ""
    rights: str = ""
    """sha256 hex of the Rights record in force."""
    rights_record: str = ""
    """Its canonical JSON, for the Croissant record."""
    published: str = ""
    """ISO date on which the source was published, for the Croissant record."""
    reader: str = "auto"
    """Name of a reader, or 'auto': by the extension of each file."""
    table: str = ""
    """Table of a database or sheet of a workbook; not needed where only one fits."""
    query: str = ""
    """A SELECT in place of `table`. It may join; give it an ORDER BY."""
    delimiter: str = ""
    text: str = ""
    """Column of the text; empty: `text`."""
    key: str = ""
    """Column of the source's own key; empty: the path, with the row number where there are rows."""
    title: str = ""
    group: str = ""
    """Documents of one group stay on one side of a split."""
    group_pattern: tuple[str, ...] = ()
    """Regular expressions whose matches are cut from the group: edition marks, years, decisions."""
    label: str = ""
    version: str = ""
    """Column of the source's own version or date; empty: the first 16 hex digits of the raw digest."""
    subject: str = ""
    """Column that identifies the person a document is about; becomes a pseudonym, needs TOUYAN_PSEUDONYM_KEY."""
    pseudonym_salt_id: str = ""
    """Name of the pseudonym key, so that a new key makes new documents. Never the key itself."""
    meta: tuple[str, ...] = ()
    on_unreadable: Literal["list", "fail"] = "list"
    max_document_bytes: int = 64 << 20
    parser_limit_s: int = 60
    """CPU seconds a parser may take for one document."""
    parser_memory_bytes: int = 2 << 30


def run(work: Work[ReadParams]) -> None:
    """Writes `documents/`, `unreadable.jsonl`, `summary.json` and `croissant.json` (docs/formats/folders.md, 'documents').

    Raises Invalid where nothing at all could be read, where a named column never occurs, or, with `on_unreadable: fail`, at
    the first unreadable file or row; Missing where a person's column is named without a key.
    """
    params = work.params
    maker = DocumentMaker(_roles(params), _pseudonym_key(params))
    tally = Tally()
    with ExitStack() as stack:
        source = Source(params, work.one("source").path, stack.enter_context(ParserProcess(*_limits(params))))
        seen = stack.enter_context(SeenDocuments(work.scratch)) if params.key else None
        writer = stack.enter_context(DocumentWriter(work.out))
        listed = stack.enter_context((work.out / "unreadable.jsonl").open("wb"))
        for path, outcome in source.outcomes(tally):
            row = maker.make(path, outcome) if isinstance(outcome, Record) else outcome
            if isinstance(row, DocumentRow) and seen is not None and not seen.add(row.doc_id):
                row = Unreadable(outcome.place, "duplicate-key: an earlier document has the same key and version")
            if isinstance(row, DocumentRow):
                writer.add(row)
                tally.document(row)
                work.progress(tally.documents, None, "documents")
            else:
                listed.write(canonical(_listing(path, row, params)) + b"\n")
                tally.unreadable(path, row)
    _finish(work, maker, tally, writer.paths)


class Source:
    """The files of a source as a stream of outcomes; holds one document at a time."""

    def __init__(self, params: ReadParams, root: Path, parser: ParserProcess) -> None:
        self._root = root
        self._reader_name = params.reader
        self._parser = parser
        self._options = Options(params.text, params.table, params.query, params.delimiter, params.max_document_bytes)
        if params.reader != "auto":
            named_reader(params.reader)

    def outcomes(self, tally: Tally) -> Iterator[tuple[str, Record | Unreadable]]:
        """(path, record or reason) of every file and row, in the order of the walk."""
        for entry in walk(self._root):
            if isinstance(entry, RefusedFile):
                yield entry.path, Unreadable("", entry.reason)
                continue
            name = self._choose(entry)
            if name is None:
                yield (
                    entry.path,
                    Unreadable("", f"no-reader: no reader takes {Path(entry.path).suffix or 'files without extension'}"),
                )
                continue
            tally.file(name, entry.size_bytes)
            for outcome in self._bounded(self._read(name, named_reader(name), entry), entry):
                yield entry.path, outcome

    def _choose(self, file: FoundFile) -> str | None:
        if self._reader_name != "auto":
            return self._reader_name
        return reader_name(file.path)

    def _read(self, name: str, reader: Reader, file: FoundFile) -> Iterator[Record | Unreadable]:
        if reader.isolated:
            return self._parser.read(name, file.absolute, self._options)
        return read_file(reader, file.absolute, self._options)

    def _bounded(self, outcomes: Iterator[Record | Unreadable], file: FoundFile) -> Iterator[Record | Unreadable]:
        """The outcomes, until they hold far more than the file can mean: 500 bytes of Parquet can name a text a million times."""
        allowed = left = self._options.max_document_bytes + MAX_INFLATION * file.size_bytes
        for outcome in outcomes:
            if isinstance(outcome, Record):
                left -= outcome.characters
            if left < 0:
                yield Unreadable("", f"inflates: gives more than {allowed} characters; what came before is kept")
                return
            yield outcome


def _roles(params: ReadParams) -> Roles:
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


def _limits(params: ReadParams) -> tuple[int, int, int]:
    return params.parser_limit_s, params.parser_memory_bytes, params.max_document_bytes


def _pseudonym_key(params: ReadParams) -> bytes | None:
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


def _listing(path: str, row: Unreadable, params: ReadParams) -> dict[str, str]:
    place = f"{path}#{row.place}" if row.place else path
    if params.on_unreadable == "fail":
        raise Invalid("unreadable", f"{place}: {row.reason}", "repair or remove it, or set on_unreadable: list")
    return {"path": place, "reason": row.reason}


def _finish(work: Work[ReadParams], maker: DocumentMaker, tally: Tally, shards: list[Path]) -> None:
    if not tally.documents:
        raise Invalid("nothing-read", f"no document could be read: {tally.first_reasons()}", "correct the reader or its columns")
    maker.check_columns()
    (work.out / "summary.json").write_bytes(canonical(tally.summary()))
    (work.out / "croissant.json").write_bytes(canonical(croissant_record(_dataset(work, tally, shards))))
    work.count("documents", tally.documents)
    work.count("unreadable", tally.unreadables)


def _dataset(work: Work[ReadParams], tally: Tally, shards: list[Path]) -> Dataset:
    params = work.params
    return Dataset(
        provider=params.provider,
        name=params.source,
        source_asset=work.one("source").id,
        rights=_rights(params),
        rights_sha256=params.rights,
        shards=shards,
        documents=tally.documents,
        unreadable=tally.unreadables,
        published=params.published,
    )


def _rights(params: ReadParams) -> Rights:
    """The Rights record, checked against its digest; without one, rights of which everything is unknown. Raises Invalid."""
    if not params.rights_record:
        return Rights()
    value = parse(params.rights_record)
    if digest(value) != params.rights or not isinstance(value, dict):
        raise Invalid("rights-mismatch", "rights_record is not the record that `rights` names", "let the planner fill in both")
    return rights_from_json(value)


STEP = StepSpec(
    name="read",
    version="2",
    output="documents",
    inputs={"source": InputSpec("source", label="the raw files")},
    params=ReadParams,
    purpose="refine",
    run=run,
    summary="Reads documents from a source and lists what it cannot read.",
    threads=1,
)
