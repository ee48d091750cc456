"""HTML: the main text of a page, a line a block, tabs between cells; title, date and the share of links are values.

Owns the choice between what a page says and what leads elsewhere (`main_text.py` judges the lines). The encoding is the byte
order mark's, else UTF-8 where the bytes are valid, else what the server or the page declares unless the bytes gainsay it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from touyan.core.canonical import sha256_hex
from touyan.core.errors import missing_extra
from touyan.data.encoding import decode
from touyan.data.reader import Options, Record, Unreadable
from touyan.data.readers.main_text import CELL, FRAME, FRAME_END, LINE, LINK, LINK_END, main_text
from touyan.data.readers.whole import WholeFileReader

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_DECLARED = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{2,20})", re.IGNORECASE)
_UNSEEN = ["script", "style", "noscript", "template", "iframe", "object", "svg", "select", "textarea", "head"]
_BLOCKS = (
    "address,article,aside,blockquote,br,caption,dd,details,div,dl,dt,fieldset,figcaption,figure,footer,form,h1,h2,h3,h4,h5,h6,"
    "header,hr,li,main,nav,ol,option,p,pre,section,summary,table,tbody,tfoot,thead,tr,ul"
)
_FRAME_PARTS = "nav,aside,footer,[role=navigation],[role=contentinfo],[hidden]," + ",".join(
    f"[{attribute}*={word}]"
    for attribute in ("class", "id")
    for word in ("nav", "menu", "breadcrumb", "crumbs", "footer", "sidebar", "copyright", "toolbar", "pagination", "share")
)
_MARKED = ((_FRAME_PARTS, FRAME, FRAME_END), (_BLOCKS, LINE, LINE), ("a", LINK, LINK_END))
_DATES = (
    "meta[name=PubDate],meta[name=pubdate],meta[name=publishdate],meta[name=date],meta[itemprop=datePublished],"
    "meta[property='article:published_time']"
)
_MARKS = re.compile(f"[{LINE}{CELL}{LINK}{LINK_END}{FRAME}{FRAME_END}]")


class HtmlReader(WholeFileReader):
    """`.html`, `.htm`, `.xhtml`."""

    extensions = (".html", ".htm", ".xhtml")

    def parse(self, raw: bytes, name: str, options: Options) -> Iterator[Record | Unreadable]:
        text, values = page(raw)
        yield Record("", text, sha256_hex(raw), values)


def page(raw: bytes, charset: str = "") -> tuple[str, dict[str, str | None]]:
    """(main text, values) of a page; `charset` is what the server said, if anything. Raises Damaged, Missing.

    The values are title, date, encoding, `link_percent` (of the page's characters, how many are links) and `main_percent` (how
    many are the main text).
    """
    declared = _DECLARED.search(raw[:4096])
    markup, encoding = decode(raw, charset or (declared[1].decode("ascii") if declared else ""))
    tree = _parse(_MARKS.sub(" ", markup))
    heading = tree.css_first("title")
    title = " ".join(heading.text().split()) if heading else None
    values: dict[str, str | None] = {"title": title or None, "date": _date(tree), "encoding": encoding}
    text, link_percent, main_percent = main_text(_marked(tree))
    return text, values | {"link_percent": str(link_percent), "main_percent": str(main_percent)}


def _parse(markup: str) -> LexborHTMLParser:
    try:
        from selectolax.lexbor import LexborHTMLParser
    except ImportError as error:
        raise missing_extra("selectolax", "data") from error
    return LexborHTMLParser(markup)


def _date(tree: LexborHTMLParser) -> str | None:
    meta = tree.css_first(_DATES)
    return ((meta.attributes.get("content") or "").strip() or None) if meta else None


def _marked(tree: LexborHTMLParser) -> str:
    """The visible text with marks for lines, cells, links, and the parts that are named as frame."""
    if tree.body is None:
        return ""
    tree.strip_tags(_UNSEEN)
    for selector, before, after in _MARKED:
        for node in tree.body.css(selector):
            node.insert_before(before)
            node.insert_after(after)
    for node in tree.css("td,th"):
        node.insert_after(CELL)
    return tree.body.text()


READER = HtmlReader()
