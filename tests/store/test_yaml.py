"""YAML before anybody looks at its meaning: what is refused, with the line, and that nothing else can happen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.core.errors import Invalid, Missing
from touyan.store.formats.yaml import MAX_BYTES, read_yaml


def read(folder: Path, text: str | bytes) -> object:
    path = folder / "file.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_yaml(path).value


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\n\tb: 2\n", 2, "cannot start any token"),
        ("a: 1\nb: [1, 2\n", 3, "expected"),
        ("a: 1\nb: 2\na: 3\n", 3, "given twice"),
        ("a: &x 1\n\nb: *x\n", 3, "aliases"),
        ("a: &x {b: [*x]}\n", 1, "aliases"),
        ("a: 1\nb: !!python/object/apply:os.system [echo]\n", 2, None),
        ("a: 1\nb: !!python/name:os.system x\n", 2, "unknown type"),
        ("b: !own x\n", 1, "unknown type"),
        ("b: !!binary aGVsbG8=\n", 1, "no text, number"),
        ("a: 1\n---\nb: 2\n", 2, "another document"),
        ("? [a, b]\n: 1\n", 1, "a key must be a plain word"),
        ("'': 1\n", 1, "a key must be a plain word"),
        ('a: "\\ud800"\n', 1, "no text"),
        ('"\\udfff": 1\n', 1, "a key must be a plain word"),
        ("a: " + "[" * 60 + "]" * 60, 1, "nested too deeply"),
        ("a: !!int x\n", 1, "unknown type"),
        ("a: " + "9" * 5000, 1, "unknown type"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_line(tmp_path: Path, text: str, line: int, words: str | None) -> None:
    if words is None:  # the tag of a list is not looked at: the list is a list of words
        assert read(tmp_path, text) == {"a": 1, "b": ["echo"]}
        return
    with pytest.raises(Invalid, match=words) as raised:
        read(tmp_path, text)
    assert f"file.yaml:{line}: " in raised.value.message


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="not UTF-8"):
        read(tmp_path, "名: 1".encode("gb18030"))
    with pytest.raises(Invalid, match="not YAML"):
        read(tmp_path, b"a: \x00")
    with pytest.raises(Invalid, match="not YAML"):
        read(tmp_path, "[" * 500)


def test_a_large_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="larger than 1 MiB"):
        read(tmp_path, b"#" * (MAX_BYTES + 1))


@pytest.mark.parametrize("name", ["absent.yaml", ".", "file/below", "x" * 300, "nul\0"])
def test_what_cannot_be_opened_is_missing(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Missing, match="there is no file"):
        read_yaml(tmp_path / name)


def test_plain_values_are_what_yaml_1_2_says(tmp_path: Path) -> None:
    text = "\ufeffday: 2026-01-31\nat: 2026-01-31T08:00:00Z\nyes: yes\nflag: true\nempty:\n1: 0o17\nnull: ~\nversion: 1.10\n"
    assert read(tmp_path, text) == {
        "day": "2026-01-31", "at": "2026-01-31T08:00:00Z", "yes": "yes", "flag": True, "empty": None, "1": 15, "null": None,
        "version": 1.1,
    }  # fmt: skip


def test_every_node_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("a:\n  b:\n    - 1\n    - c: 2\n")
    marked = read_yaml(path)
    assert [marked.line(p) for p in (("a",), ("a", "b"), ("a", "b", 1, "c"), ("a", "b", "absent"), ("absent",))] == [
        1,
        2,
        4,
        2,
        1,
    ]


PIECES = st.sampled_from(
    [
        *("a", "b: ", "\n", "  ", "- ", "[", "]", "{", "}", ":", ",", "'", '"', "\\ud800", "|", ">", "&x ", "*x", "!!set ", "!t "),
        *("\t", "%YAML 1.1\n", "---\n", "...", "<<: ", "? ", "~", ".nan", "1e999", "0x1f", "2026-02-30", "头雁", "\x85"),
        *("# ", "\ufeff", "@", "`"),
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=24).map("".join) | st.text(max_size=60) | st.binary(max_size=60))
def test_any_bytes_give_plain_values_or_an_error_with_a_hint(tmp_path_factory: pytest.TempPathFactory, text: str | bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "fuzz-yaml"
    folder.mkdir(exist_ok=True)
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    try:
        said = json.dumps(read(folder, data), ensure_ascii=False)
    except Invalid as error:
        said = error.hint
    assert said.encode()
