"""Office packages (ECMA-376 part 2) opened with suspicion: zip bombs and XML entities are refused before parsing.

Owns the checks that the DOCX and XLSX readers share. Knows nothing about their vocabularies. Invariant: no member inflates
beyond what was declared and allowed, and no XML with a document type declaration is parsed (part 2, section 6.5.2 forbids it).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import IO
from xml.parsers import expat

from touyan.data.reader import Damaged

MAX_MEMBERS = 10_000
MAX_INFLATED_FACTOR = 8
"""All members together, in multiples of the limit for one document."""
MAX_RATIO = 200
"""Office XML deflates 5 to 60 times; a deflate bomb about 1,030 times."""
SMALL_BYTES = 1 << 20
"""Members up to here may have any ratio."""
OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def open_package(raw: bytes, max_document_bytes: int) -> zipfile.ZipFile:
    """The package, checked against its directory. Raises Damaged."""
    if raw.startswith(OLE):
        raise Damaged("encrypted", "an encrypted or pre-2007 office file")
    try:
        package = zipfile.ZipFile(io.BytesIO(raw))
        _check(package.infolist(), max_document_bytes)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise Damaged("bad-zip", f"not an office package: {error}") from error
    return package


def _check(members: list[zipfile.ZipInfo], max_document_bytes: int) -> None:
    if len(members) > MAX_MEMBERS:
        raise Damaged("zip-bomb", f"{len(members)} members, the limit is {MAX_MEMBERS}")
    inflated = sum(member.file_size for member in members)
    if inflated > MAX_INFLATED_FACTOR * max_document_bytes:
        raise Damaged("zip-bomb", f"inflates to {inflated} bytes, the limit is {MAX_INFLATED_FACTOR * max_document_bytes}")
    for member in members:
        if member.file_size > SMALL_BYTES and member.file_size > MAX_RATIO * max(member.compress_size, 1):
            raise Damaged(
                "zip-bomb", f"{member.filename[:80]!r} inflates {member.file_size // max(member.compress_size, 1)} times"
            )
    if len({member.filename for member in members}) != len(members):
        raise Damaged("bad-zip", "two members have the same name")


class BoundedMember:
    """A member that cannot inflate beyond its declared size, whatever its data say."""

    def __init__(self, package: zipfile.ZipFile, name: str) -> None:
        try:
            self._left = package.getinfo(name).file_size
            self._file: IO[bytes] = package.open(name)
        except (KeyError, RuntimeError) as error:  # absent, or encrypted
            raise Damaged("bad-package", f"{name} cannot be opened") from error

    def read(self, size: int = 1 << 16) -> bytes:
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise Damaged("zip-bomb", "a member inflates beyond its declared size")
        return data


Start = Callable[[str, dict[str, str]], None]


def parse_xml(
    package: zipfile.ZipFile,
    name: str,
    start: Start,
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Streams a member through expat; names are `namespace}local`. Raises Damaged on a DTD or on broken XML."""
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    try:
        parser.ParseFile(BoundedMember(package, name))
    except expat.ExpatError as error:
        raise Damaged("bad-xml", f"{name}: {expat.ErrorString(error.code)} at line {error.lineno}") from error


def check_xml(package: zipfile.ZipFile) -> None:
    """Refuses document type declarations in every XML member, for parsers that would obey them. Raises Damaged."""
    for name in package.namelist():
        if name.lower().endswith((".xml", ".rels", ".vml")):
            parse_xml(package, name, lambda _name, _attributes: None)


def _refuse_doctype(name: str, system_id: str | None, public_id: str | None, has_internal_subset: bool) -> None:
    raise Damaged("xml-entities", "XML with a document type declaration, which office files never have")
