"""Lines that a site repeats: in how many of its pages each line stands.

Owns the count, the bound on its memory and the keys of sites and lines. Knows nothing about what a line says. Invariant: a
survey counts a line once a page; what is held at a time is bounded by `MAX_LINES`, whatever the size of the corpus.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from zlib import crc32

from touyan.corpus.boilerplate.layout import Layout
from touyan.corpus.operator import DocumentBatch, Survey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_LINES = 1 << 21
"""Lines counted at a time, 16 bytes each. Beyond, the rarest are forgotten: by then they stand in few pages of many."""
MAX_CHARS = 120
_HOST = re.compile(r"https?://([^/\s\"?#]+)", re.IGNORECASE)
_URL_FIELD = re.compile(r"\"(?:url|link|uri|source_url)\"\s*:\s*\"(https?://[^\"]+)", re.IGNORECASE)


def site_of(batch: DocumentBatch, row: int) -> int:
    """Key of the site that a document comes from: the host of its address, or else its source."""
    columns = batch.columns
    address = _HOST.match(columns["natural_key"][row]) if "natural_key" in columns else None
    if address is None and "meta" in columns and columns["meta"][row]:
        told = _URL_FIELD.search(columns["meta"][row])
        address = _HOST.match(told[1]) if told else None
    name = address[1].lower() if address else columns["source"][row]
    return crc32(name.encode())


def line_key(site: int, line: str) -> int:
    """Key of a folded line of a site, 64 bits: two lines of one site share one with odds of 2^-32."""
    return site << 32 | crc32(line.encode("utf-8", "surrogatepass"))


def surveyed(pages: Iterable[tuple[int, int, Layout]]) -> Survey:
    """Of pages, given as place in the shard, site and lines: `place` (p,) int64, `line` (n,) uint64 keys with `line_pages` (n,)
    int64, `site` (m,) uint64 keys with `site_pages` (m,) int64."""
    import numpy as np

    places: list[int] = []
    sites: list[int] = []
    lines: list[int] = []
    for place, site, page in pages:
        places.append(place)
        sites.append(site)
        lines += {line_key(site, each.text) for each in page.lines if 0 < len(each.text) <= MAX_CHARS}
    line, line_pages = np.unique(np.array(lines, dtype=np.uint64), return_counts=True)
    site, site_pages = np.unique(np.array(sites, dtype=np.uint64), return_counts=True)
    place = np.array(places, dtype=np.int64)
    return {"place": place, "line": line, "line_pages": line_pages, "site": site, "site_pages": site_pages}


@dataclass(frozen=True, slots=True)
class Pages:
    """What a shard has to know: which of its documents are pages, by place, and the keys of the lines that their sites repeat."""

    places: frozenset[int]
    lines: frozenset[int]


def settled(surveys: Iterable[Survey], min_pages: int, min_share: float) -> list[Pages]:
    """For each shard, the lines that stand in `min_pages` pages of their site and in the share `min_share` of them."""
    import numpy as np

    of_shards: list[tuple[NDArray[np.int64], NDArray[np.uint64]]] = []
    line, site = _nothing(), _nothing()
    for survey in surveys:
        of_shards.append((survey["place"], np.unique(survey["site"])))
        line = _bounded(_added(line, (survey["line"], survey["line_pages"])))
        site = _added(site, (survey["site"], survey["site_pages"]))
    keys, pages = line
    of_site = site[1][np.searchsorted(site[0], keys >> np.uint64(32))] if len(keys) else pages
    keys = keys[(pages >= min_pages) & (pages >= min_share * of_site)]
    own = [(places, keys[np.isin(keys >> np.uint64(32), sites)]) for places, sites in of_shards]
    return [Pages(frozenset(places.tolist()), frozenset(lines.tolist())) for places, lines in own]


_Counts: TypeAlias = "tuple[NDArray[np.uint64], NDArray[np.int64]]"


def _nothing() -> _Counts:
    import numpy as np

    return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)


def _added(one: _Counts, other: _Counts) -> _Counts:
    """Counts of both, by sorted key."""
    import numpy as np

    keys, places = np.unique(np.concatenate([one[0], other[0]]), return_inverse=True)
    return keys, np.bincount(places, np.concatenate([one[1], other[1]]), len(keys)).astype(np.int64)


def _bounded(counts: _Counts) -> _Counts:
    """The counts without the rarest, down to half of MAX_LINES where there are more."""
    import numpy as np

    keys, pages = counts
    if len(keys) <= MAX_LINES:
        return counts
    floor = np.partition(pages, len(pages) - MAX_LINES // 2)[len(pages) - MAX_LINES // 2]
    return keys[pages > floor], pages[pages > floor]
