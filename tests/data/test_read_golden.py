"""What `read` makes of small files, frozen: other output needs another version of the step."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from reading import read, samples

from touyan.core.canonical import digest
from touyan.data.read import STEP

GOLDEN = {
    "3": {
        "csv": "2e97852375852603",
        "html": "f72c09eacf954357",
        "jsonl": "da466367467a356f",
        "pdf": "295b756ad7259f06",
        "sqlite": "419600c995d70478",
        "text": "c00fa8811d482280",
    }
}
"""Version -> reader -> digest of the documents. Office files and Parquet are left out: their bytes depend on zlib and pyarrow."""


@pytest.mark.parametrize("reader", sorted(GOLDEN[STEP.version]))
def test_output_changes_only_with_the_version(reader: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    work = read(samples(tmp_path / "in")[reader], tmp_path / "job", title="" if reader in ("html", "pdf", "text") else "text")
    found = digest([asdict(row) for row in work.documents()])[:16]
    assert found == GOLDEN[STEP.version][reader], "the output changed: raise STEP.version and add its digests here"
