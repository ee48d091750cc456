"""EML (RFC 5322, MIME): the letter is one document, each attachment another, read as a file of its name would be.

Sender, receivers, date and Message-ID are values beside the text, since they are personal information. Pictures shown inside
the letter are passed over; any other attachment that nobody reads is listed. Letters inside letters are read to MAX_DEPTH.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import parsedate_to_datetime
from pathlib import Path

from touyan.core.canonical import sha256_hex
from touyan.core.errors import Missing
from touyan.data.encoding import decode
from touyan.data.reader import Damaged, Options, Record, Unreadable, describe, reader_name, readers
from touyan.data.readers.html import page
from touyan.data.readers.whole import WholeFileReader

MAX_DEPTH = 4
MAX_PARTS = 1_000
_ADDRESSED = ("from", "to", "cc")


class EmlReader(WholeFileReader):
    """`.eml`."""

    extensions = (".eml",)

    def parse(self, raw: bytes, name: str, options: Options) -> Iterator[Record | Unreadable]:
        return _letter(raw, options, 0)


def _letter(raw: bytes, options: Options, depth: int) -> Iterator[Record | Unreadable]:
    letter = BytesParser(policy=compat32).parsebytes(raw)
    if not letter.keys():
        raise Damaged("bad-mail", "has no header: not a letter")
    bodies, attached = _sorted_parts(letter)
    try:
        yield Record("", _body(bodies), sha256_hex(raw), _values(letter, len(attached)))
    except Damaged as error:  # what is attached may still be sound
        yield Unreadable("", error.reason)
    for number, part in enumerate(attached, 1):
        name = _decoded(part.get_filename() or "") or ("letter.eml" if _is_letter(part) else "")
        place = f"attachment {number} {name}".rstrip()
        yield from _attachment(part, name, place, options, depth)


def _sorted_parts(letter: Message) -> tuple[list[Message], list[Message]]:
    """(parts of the letter's own text, attachments), the letters inside it unopened. Raises Damaged where there are too many."""
    bodies: list[Message] = []
    attached: list[Message] = []
    left = [letter]
    for _ in range(MAX_PARTS):
        if not left:
            return bodies, attached
        part = left.pop()
        if _is_letter(part) and part is not letter:
            attached.append(part)
        elif part.is_multipart():
            left += reversed(part.get_payload())  # type: ignore[arg-type]
        elif part.get_filename() or part.get_content_disposition() == "attachment":
            if not (part.get_content_maintype() == "image" and part["Content-ID"]):
                attached.append(part)
        elif part.get_content_maintype() == "text":
            bodies.append(part)
    raise Damaged("too-many-parts", f"more than {MAX_PARTS} parts")


def _is_letter(part: Message) -> bool:
    return part.get_content_type() == "message/rfc822"


def _body(parts: list[Message]) -> str:
    """The plain text, or that of the pages where they say twice as much: plain parts are often a mere notice."""
    plain = "\n".join(_text(part) for part in parts if part.get_content_subtype() != "html").strip()
    pages = "\n".join(_text(part) for part in parts if part.get_content_subtype() == "html").strip()
    return pages if len(pages) > 2 * len(plain) else plain


def _text(part: Message) -> str:
    raw, charset = _bytes(part), str(part.get_param("charset") or "")
    return page(raw, charset)[0] if part.get_content_subtype() == "html" else decode(raw, charset)[0].replace("\r\n", "\n")


def _bytes(part: Message) -> bytes:
    if _is_letter(part) and part.is_multipart():
        return part.get_payload(0).as_bytes()  # type: ignore[union-attr]
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _attachment(part: Message, name: str, place: str, options: Options, depth: int) -> Iterator[Record | Unreadable]:
    """What the reader of `name` finds. Anything it raises costs the attachment, and not the letter."""
    kind = reader_name(name) if name else None
    reader = readers()[kind] if kind else None
    if not isinstance(reader, WholeFileReader):
        yield Unreadable(place, f"no-reader: no reader takes attachments like {Path(name).suffix or part.get_content_type()!r}")
        return
    if depth == MAX_DEPTH:
        yield Unreadable(place, f"too-deep: more than {MAX_DEPTH} letters inside each other")
        return
    try:
        raw = _bytes(part)
        found = _letter(raw, options, depth + 1) if isinstance(reader, EmlReader) else reader.parse(raw, name, options)
        for outcome in found:
            inner = f"{place} {outcome.place}".rstrip()
            if isinstance(outcome, Record):
                yield Record(inner, outcome.text, outcome.raw_sha256, {**outcome.values, "attachment": name})
            else:
                yield Unreadable(inner, outcome.reason)
    except Damaged as error:
        yield Unreadable(place, error.reason)
    except Missing:
        raise
    except Exception as error:  # as in read_file
        yield Unreadable(place, f"parser: {describe(error, Path(name))}")


def _values(letter: Message, attachments: int) -> dict[str, str | None]:
    headers: dict[str, str] = {}
    for name, value in letter.raw_items():
        headers.setdefault(name.lower(), _decoded(str(value)))
    return {
        "title": headers.get("subject"),
        **{name: headers.get(name) for name in _ADDRESSED},
        "date": _date(headers.get("date", "")),
        "message_id": headers.get("message-id"),
        "attachments": str(attachments),
    }


def _decoded(value: str) -> str:
    """A header as text: encoded words (RFC 2047), or the bare bytes that old mailers send, by the ladder."""
    try:
        words = decode_header(value.replace("\r", "").replace("\n", ""))
        return " ".join("".join(_word(word, charset or "") for word, charset in words).split())
    except (Damaged, HeaderParseError, ValueError):
        return value.encode("ascii", "replace").decode()


def _word(word: bytes | str, charset: str) -> str:
    return decode(word.encode("utf-8", "surrogateescape") if isinstance(word, str) else word, charset)[0]


def _date(value: str) -> str | None:
    """ISO 8601 in UTC; None where the letter has none that can be read."""
    try:
        date = parsedate_to_datetime(value)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return None


READER = EmlReader()
