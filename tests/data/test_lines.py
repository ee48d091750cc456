from __future__ import annotations

import tempfile
import tracemalloc
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from touyan.data.lines import bounded_lines


@given(st.lists(st.binary(max_size=20)), st.integers(1, 12))
def test_lines_are_whole_or_passed_over(parts: list[bytes], limit: int) -> None:
    data = b"\n".join(parts)
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(data)
        lines = list(bounded_lines(Path(file.name), limit))
    expected = data.splitlines(keepends=True) if b"\r" not in data else None
    kept = [line for line in lines if line is not None]
    assert all(len(line) <= limit for line in kept)
    if expected is not None and not any(c in data for c in b"\x0b\x0c\x1c\x1d\x1e\x85"):
        assert lines == [line if len(line) <= limit else None for line in expected]


def test_a_huge_line_is_never_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.jsonl"
    with path.open("wb") as file:
        file.seek(256 << 20)
        file.write(b"\nlast\n")
    tracemalloc.start()
    lines = list(bounded_lines(path, 1 << 16))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert lines == [None, b"last\n"]
    assert peak_bytes < 8 << 20
