"""Manifests: an id is its content, and no path leaves its folder."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.core.asset import FileRef, InputRef, asset_id, build, check_digest, check_path, manifest_bytes, read_manifest
from touyan.core.errors import Invalid

DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
NAMES = st.text("abc文.-_ ", min_size=1, max_size=6).filter(lambda n: n not in (".", ".."))
FILES = st.builds(FileRef, NAMES.map(lambda n: f"d/{n}"), DIGESTS, st.integers(0, 2**40))
A = "a" * 64


@given(st.lists(FILES, max_size=5, unique_by=lambda f: f.path), st.lists(st.builds(InputRef, NAMES, DIGESTS), max_size=4))
def test_a_manifest_is_read_back_and_order_does_not_matter(files: list[FileRef], inputs: list[InputRef]) -> None:
    manifest = build("corpus", files, inputs, step_key=A)
    assert read_manifest(manifest_bytes(manifest)) == manifest
    assert asset_id(build("corpus", files[::-1], inputs[::-1], step_key=A)) == asset_id(manifest)


@given(st.text(max_size=12))
def test_a_path_that_passes_stays_in_its_folder(path: str) -> None:
    try:
        check_path(path)
    except Invalid:
        return
    pure = PurePosixPath(path)
    assert not pure.is_absolute()
    assert ".." not in pure.parts
    assert str(pure) == path


@pytest.mark.parametrize("path", [
    "", "/", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/.",
    "a\\b", "C:a", "a\0b", "a\nb", "a\x1bb", "\ud800", "a" * 256, "a/" * 600 + "b",
])  # fmt: skip
def test_a_hostile_path_is_refused(path: str) -> None:
    with pytest.raises(Invalid):
        check_path(path)


@pytest.mark.parametrize("files", [
    [FileRef("a", A, 1), FileRef("a", A, 2)], [FileRef("a", A, 1), FileRef("a/b", A, 1)], [FileRef("a", A.upper(), 1)],
    [FileRef("a", A, -1)], [FileRef("a", A, True)], [FileRef("a", A, "1")], [FileRef("a", A[:-1], 1)],  # type: ignore[arg-type]
])  # fmt: skip
def test_files_that_could_not_lie_in_one_folder_are_refused(files: list[FileRef]) -> None:
    with pytest.raises(Invalid):
        build("corpus", files)


@pytest.mark.parametrize(("before", "after"), [
    (b'"manifest":1', b'"manifest":2'), (b'"kind":"corpus"', b'"kind":"corpse"'), (b'"size_bytes":1', b'"size_bytes":"1"'),
    (b'"path":"a"', b'"path":5'), (b'"path":"a"', b'"path":"../a"'), (b'"files"', b' "files"'), (b'"role":"in"', b'"role":5'),
    (b'"provider":""', b'"provider":5'), (b'"step_key":""', b'"step_key":"","more":1'),
])  # fmt: skip
def test_bytes_that_are_no_manifest_are_refused(before: bytes, after: bytes) -> None:
    data = manifest_bytes(build("corpus", [FileRef("a", A, 1)], [InputRef("in", A)]))
    assert before in data
    with pytest.raises(Invalid):
        read_manifest(data.replace(before, after))


@pytest.mark.parametrize("text", ["", "A" * 64, "g" * 64, "a" * 65, "a" * 63 + "\n", 7])
def test_a_digest_is_64_lower_case_hex_digits(text: str) -> None:
    with pytest.raises(Invalid):
        check_digest(text)
