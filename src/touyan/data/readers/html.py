"""HTML: the visible text, a line for each block; scripts, styles and forms of the page are left out.

Knows nothing about boilerplate, which is the refinery's. The encoding is the byte order mark's, then what the page declares
if its bytes agree, then the ladder's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from touyan.core.canonical import sha256_hex
from touyan.core.errors import missing_extra
from touyan.data.encoding import decode
from touyan.data.reader import Options, Record, Unreadable
from touyan.data.readers.whole import WholeFileReader

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_DECLARED = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{2,20})", re.IGNORECASE)
_UNSEEN = ["script", "style", "noscript", "template", "iframe", "object", "svg", "select", "textarea", "head"]
_BLOCKS = (
    "address,article,aside,blockquote,br,caption,dd,details,div,dl,dt,fieldset,figcaption,figure,footer,form,h1,h2,h3,h4,h5,h6,"
    "header,hr,li,main,nav,ol,option,p,pre,section,summary,table,tbody,tfoot,thead,tr,ul"
)
_LINE, _CELL = "\x1e", "\x1f"  # no page contains them: they are the record and unit separators of ASCII


class HtmlReader(WholeFileReader):
    """`.html`, `.htm`, `.xhtml`."""

    extensions = (".html", ".htm", ".xhtml")

    def parse(self, raw: bytes, name: str, options: Options) -> Iterator[Record | Unreadable]:
        text, values = page(raw)
        yield Record("", text, sha256_hex(raw), values)


def page(raw: bytes, charset: str = "") -> tuple[str, dict[str, str | None]]:
    """(text, title and encoding) of a page; `charset` is what the server said, if anything. Raises Damaged, Missing."""
    declared = _DECLARED.search(raw[:4096])
    markup, encoding = decode(raw, charset or (declared[1].decode("ascii") if declared else ""))
    tree = _parse(markup.replace(_LINE, " ").replace(_CELL, " "))
    heading = tree.css_first("title")
    title = " ".join(heading.text().split()) if heading else None
    return _visible(tree), {"title": title or None, "encoding": encoding}


def _parse(page: str) -> LexborHTMLParser:
    try:
        from selectolax.lexbor import LexborHTMLParser
    except ImportError as error:
        raise missing_extra("selectolax", "data") from error
    return LexborHTMLParser(page)


def _visible(tree: LexborHTMLParser) -> str:
    if tree.body is None:
        return ""
    tree.strip_tags(_UNSEEN)
    for node in tree.css(_BLOCKS):
        node.insert_before(_LINE)
        node.insert_after(_LINE)
    for node in tree.css("td,th"):
        node.insert_after(_CELL)
    lines = tree.body.text().split(_LINE)
    plain = ("\t".join(" ".join(cell.split()) for cell in line.split(_CELL)).strip() for line in lines)
    return "\n".join(line for line in plain if line)


READER = HtmlReader()
