"""The step `read`: a source becomes documents, and everything that could not be read is listed with its reason.

Owns the order of work: cut the source into portions, have them read, settle which key came first, number the shards, describe.
Knows nothing about single files. Invariant: every file and row of the source ends either as a document or as a line of
`unreadable.jsonl`, and the output is a function of the source, the parameters and the secret key alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, Literal

from touyan.core.canonical import canonical, digest, parse
from touyan.core.errors import Invalid
from touyan.core.rights import Rights, rights_from_json
from touyan.data.columns import DocumentMaker
from touyan.data.croissant import Dataset, croissant_record
from touyan.data.portions import portions
from touyan.data.reader import named_reader
from touyan.data.reading import (
    ID_BYTES,
    IDS,
    UNREADABLE,
    PortionTask,
    Reading,
    options_of,
    pseudonym_key,
    read_portion,
    roles_of,
)
from touyan.data.seen import SeenDocuments
from touyan.data.spread import in_order
from touyan.data.summary import Tally
from touyan.flow.step import InputSpec, StepSpec, Work
from touyan.store.formats.corpus import part_name
from touyan.store.formats.documents import FOLDER


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
    gathered = Gathered(work)
    with ExitStack() as stack:
        seen = stack.enter_context(SeenDocuments(work.scratch)) if work.params.key else None
        listed = stack.enter_context((work.out / UNREADABLE).open("wb"))
        for reading in _readings(work, gathered):
            gathered.add(reading if seen is None else _without_repeated(reading, seen), listed)
    _finish(work, gathered)


class Gathered:
    """What has come of the portions so far."""

    def __init__(self, work: Work[ReadParams]) -> None:
        self.tally = Tally()
        self.columns = DocumentMaker(roles_of(work.params), pseudonym_key(work.params))
        self.shards: list[Path] = []
        self._work = work
        self._folder = work.out / FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)

    def add(self, reading: Reading, listed: BinaryIO) -> None:
        """Takes over what the next portion gave."""
        for shard in reading.shards:
            self.shards.append(self._folder / f"{part_name(len(self.shards))}.parquet")
            shutil.move(shard, self.shards[-1])
        with (reading.task.folder / UNREADABLE).open("rb") as file:
            shutil.copyfileobj(file, listed)
        shutil.rmtree(reading.task.folder)
        self.tally.add(reading.tally)
        self.columns.add(reading.columns)
        self.tell(0)

    def tell(self, more: int) -> None:
        """Shows how many documents there are, with `more` of the portion at hand."""
        self._work.progress(self.tally.documents + more, None, "documents")


def _readings(work: Work[ReadParams], gathered: Gathered) -> Iterator[Reading]:
    """The source portion by portion: in this process where there is but one, since another costs nearly a CPU second to start."""
    scratch = work.scratch / "portions"
    shutil.rmtree(scratch, ignore_errors=True)
    if work.params.reader != "auto":
        named_reader(work.params.reader)
    cut = portions(work.one("source").path, work.params.reader, options_of(work.params))
    tasks = (PortionTask(work.params, portion, scratch / str(n)) for n, portion in enumerate(cut))
    first = list(islice(tasks, max(1, work.threads)))
    if len(first) > 1:
        yield from in_order(read_portion, chain(first, tasks), len(first))
    else:
        yield from (read_portion(task, gathered.tell) for task in chain(first, tasks))


def _without_repeated(reading: Reading, seen: SeenDocuments) -> Reading:
    """The portion without the documents whose ids have occurred. Those are few as a rule, so that it is read again for them."""
    ids = (reading.task.folder / IDS).read_bytes()
    each = (ids[i : i + ID_BYTES] for i in range(0, len(ids), ID_BYTES))
    repeated = frozenset(n for n, doc_id in enumerate(each) if not seen.add(doc_id))
    if not repeated:
        return reading
    shutil.rmtree(reading.task.folder)
    return read_portion(replace(reading.task, repeated=repeated))


def _finish(work: Work[ReadParams], gathered: Gathered) -> None:
    tally = gathered.tally
    if not tally.documents:
        raise Invalid("nothing-read", f"no document could be read: {tally.first_reasons()}", "correct the reader or its columns")
    gathered.columns.check_columns()
    (work.out / "summary.json").write_bytes(canonical(tally.summary()))
    (work.out / "croissant.json").write_bytes(canonical(croissant_record(_dataset(work, tally, gathered.shards))))
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
    version="3",
    output="documents",
    inputs={"source": InputSpec("source", label="the raw files")},
    params=ReadParams,
    purpose="refine",
    run=run,
    summary="Reads documents from a source and lists what it cannot read.",
)
