"""Columns to documents: which value becomes key, title, group, label, version, subject and meta.

Owns identity, grouping and pseudonyms of documents. Knows nothing about files or formats. Invariant: the id of a document is
the digest of source, natural key and version alone, and no identifier of a person passes into a document but as a pseudonym.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from touyan.core.canonical import canonical
from touyan.core.document import document_id, one_spelling, pseudonym
from touyan.core.errors import Invalid
from touyan.core.names import nearest
from touyan.data.reader import Record, Unreadable
from touyan.store.formats.documents import DocumentRow

VERSION_DIGITS = 16
_FIELD = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A column (`law_name`) or a text with columns in braces (`{law_name} {article_no}`); build it with `template`."""

    text: str
    """With braces in any case; empty: plays no part."""
    columns: tuple[str, ...]
    is_column: bool = False
    """Whether it is one column and nothing else."""

    def fill(self, values: Mapping[str, str | None]) -> str | None:
        """The text with the columns' values; None where all of them are empty."""
        if self.is_column:
            return (values.get(self.columns[0]) or "").strip() or None
        if not self.columns or not any(values.get(column) for column in self.columns):
            return None
        return _FIELD.sub(lambda match: values.get(match[1]) or "", self.text).strip() or None


def template(text: str) -> Template:
    """Reads a column parameter of the flow."""
    braced = text if "{" in text or not text else "{" + text + "}"
    columns = tuple(_FIELD.findall(braced))
    return Template(braced, columns, is_column=[f"{{{column}}}" for column in columns] == [braced])


@dataclass(frozen=True, slots=True)
class Roles:
    """Which columns play which part; an empty template plays none."""

    source: str
    """`provider/name`."""
    rights: str
    key: Template
    title: Template
    group: Template
    label: Template
    version: Template
    subject: Template
    meta: tuple[str, ...]
    group_pattern: tuple[re.Pattern[str], ...]

    def named(self) -> frozenset[str]:
        """Every column that the flow names."""
        parts = (self.key, self.title, self.group, self.label, self.version, self.subject)
        return frozenset(column for part in parts for column in part.columns) | frozenset(self.meta)


class DocumentMaker:
    """Makes documents of the records of one source, and remembers which named columns it has met."""

    def __init__(self, roles: Roles, pseudonym_key: bytes | None) -> None:
        self._roles = roles
        self._pseudonym_key = pseudonym_key
        self._unmet = set(roles.named())
        self._present: frozenset[str] = frozenset()

    def make(self, path: str, record: Record) -> DocumentRow | Unreadable:
        """The document of a record read at `path`, or why there is none."""
        if self._unmet:
            self._present = frozenset(record.values)
            self._unmet -= self._present
        if not record.text.strip():
            return Unreadable(record.place, "no-text: there is no text")
        if not (record.is_unicode or _is_unicode(record)):
            return Unreadable(record.place, "not-unicode: holds half of a surrogate pair")
        natural_key = self._key(path, record)
        if natural_key is None:
            return Unreadable(record.place, f"no-key: {self._roles.key.text!r} is empty")
        return self._row(natural_key, record)

    def add(self, other: DocumentMaker) -> None:
        """Takes over which named columns another maker has met."""
        self._unmet &= other._unmet
        self._present |= other._present

    def check_columns(self) -> None:
        """Raises Invalid where the flow names a column that no record had."""
        if self._unmet:
            column = min(self._unmet)
            raise Invalid("no-column", f"no document has the column {column!r}", nearest(column, self._present))

    def _key(self, path: str, record: Record) -> str | None:
        if self._roles.key.text:
            return self._roles.key.fill(record.values)
        return f"{path}#{record.place}" if record.place else path

    def _row(self, natural_key: str, record: Record) -> DocumentRow:
        roles, values = self._roles, record.values
        version = roles.version.fill(values) or record.raw_sha256[:VERSION_DIGITS]
        meta = {column: value for column in roles.meta if (value := values.get(column))}
        return DocumentRow(
            doc_id=document_id(roles.source, natural_key, version),
            source=roles.source,
            natural_key=natural_key,
            version=version,
            raw_sha256=record.raw_sha256,
            text=record.text,
            title=self._title(values),
            group=self._group(values),
            label=roles.label.fill(values),
            meta=canonical(meta).decode() if meta else "{}",
            rights=roles.rights,
            subjects=self._subjects(values),
        )

    def _title(self, values: Mapping[str, str | None]) -> str | None:
        return self._roles.title.fill(values) if self._roles.title.text else values.get("title")

    def _group(self, values: Mapping[str, str | None]) -> str | None:
        whole = self._roles.group.fill(values)
        return None if whole is None else strip_marks(whole, self._roles.group_pattern)

    def _subjects(self, values: Mapping[str, str | None]) -> tuple[str, ...]:
        identifier = self._roles.subject.fill(values)
        if identifier is None or self._pseudonym_key is None:
            return ()
        return (pseudonym(self._pseudonym_key, one_spelling(identifier)),)


def _is_unicode(record: Record) -> bool:
    """Whether everything in it can be written as UTF-8. UTF-16 has the same exceptions and takes a quarter of the time."""
    try:
        record.place.encode()
        for text in record.values.values():
            if text is not None and not text.isascii() and text is not record.text:
                text.encode("utf-16-le")
        record.text.encode("utf-16-le")
    except UnicodeEncodeError:
        return False
    return True


def strip_marks(name: str, patterns: tuple[re.Pattern[str], ...]) -> str:
    """`name` without what the patterns match, applied in order; the name itself where nothing would be left."""
    for pattern in patterns:
        name = pattern.sub("", name).strip() or name
    return name


def compile_patterns(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """Raises Invalid, naming the pattern that is no regular expression."""
    compiled: list[re.Pattern[str]] = []
    for pattern in patterns:
        try:
            compiled.append(re.compile(pattern))
        except re.error as error:
            raise Invalid("bad-pattern", f"group_pattern {pattern!r}: {error}", "correct the regular expression") from error
    return tuple(compiled)
