"""Assets: immutable versions of things, named by the sha256 of their manifest.

A manifest holds the kind, the digests of the files, the ids of the inputs and the step key; for a source also its provider.
Nothing that can change is in it: owner, rights, status and times are Statements (see `statement.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from touyan.core.canonical import Json, canonical, parse, sha256_hex
from touyan.core.errors import Invalid

MANIFEST_VERSION = 1
KINDS = (
    "source", "documents", "corpus", "tokenizer", "tokens", "model", "evaluation", "checks", "checkpoint", "report",
    "exclusions", "feedback",
)  # fmt: skip
MAX_NAME_BYTES = 255  # what ext4, XFS and APFS take
MAX_PATH_BYTES = 1024
_HEX64 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, order=True)
class FileRef:
    """One file of an Asset."""

    path: str
    """Relative POSIX path, without '.', '..' or a leading slash."""
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, order=True)
class InputRef:
    """One input of an Asset: its role in the step, and its id."""

    role: str
    asset: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an Asset is. Its id is `asset_id(manifest)`."""

    kind: str
    files: tuple[FileRef, ...]
    inputs: tuple[InputRef, ...] = ()
    step_key: str = ""
    provider: str = ""

    def to_json(self) -> dict[str, Json]:
        """The JSON object whose canonical form is hashed."""
        return {
            "manifest": MANIFEST_VERSION,
            "kind": self.kind,
            "files": [{"path": f.path, "sha256": f.sha256, "size_bytes": f.size_bytes} for f in self.files],
            "inputs": [{"role": i.role, "asset": i.asset} for i in self.inputs],
            "step_key": self.step_key,
            "provider": self.provider,
        }

    @property
    def size_bytes(self) -> int:
        return sum(f.size_bytes for f in self.files)


def build(
    kind: str, files: list[FileRef], inputs: list[InputRef] | None = None, step_key: str = "", provider: str = ""
) -> Manifest:
    """A checked manifest with files and inputs in order. Raises Invalid."""
    manifest = Manifest(kind, tuple(sorted(files)), tuple(sorted(inputs or [])), step_key, provider)
    _check(manifest)
    return manifest


def manifest_bytes(manifest: Manifest) -> bytes:
    return canonical(manifest.to_json())


def asset_id(manifest: Manifest) -> str:
    """sha256 hex of the canonical manifest."""
    return sha256_hex(manifest_bytes(manifest))


def read_manifest(data: bytes) -> Manifest:
    """Reads the canonical bytes of a manifest. Raises Invalid on anything else, so that id and content cannot part."""
    value = parse(data)
    if not isinstance(value, Mapping) or value.get("manifest") != MANIFEST_VERSION:
        raise Invalid("bad-manifest", "not a manifest of version 1", "use a newer Touyan, or restore the object")
    manifest = _from_json(value)
    if manifest_bytes(manifest) != data:
        raise Invalid("bad-manifest", "the manifest is not in canonical form", "restore the object from a backup")
    return manifest


def _from_json(value: Mapping[str, Json]) -> Manifest:
    try:
        files = [FileRef(f["path"], f["sha256"], f["size_bytes"]) for f in value["files"]]  # type: ignore[index,union-attr]
        inputs = [InputRef(i["role"], i["asset"]) for i in value["inputs"]]  # type: ignore[index,union-attr]
        return build(str(value["kind"]), files, inputs, str(value["step_key"]), str(value["provider"]))  # type: ignore[arg-type]
    except (KeyError, TypeError) as error:
        raise Invalid("bad-manifest", f"a field is missing or of the wrong type: {error}", "restore the object") from error


def _check(manifest: Manifest) -> None:
    if manifest.kind not in KINDS:
        raise Invalid("bad-kind", f"{manifest.kind!r} is no kind of Asset", f"use one of: {', '.join(KINDS)}")
    for file in manifest.files:
        check_path(file.path)
        if type(file.size_bytes) is not int or file.size_bytes < 0:
            raise Invalid("bad-manifest", f"{file.path} has the size {file.size_bytes!r}", "give its number of bytes")
    _check_tree([f.path for f in manifest.files])
    if any(not isinstance(text, str) for text in (manifest.step_key, manifest.provider, *(i.role for i in manifest.inputs))):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise Invalid("bad-manifest", "a role, the step key or the provider is not a text", "restore the object from a backup")
    for identifier in [f.sha256 for f in manifest.files] + [i.asset for i in manifest.inputs]:
        check_digest(identifier)


def _check_tree(paths: list[str]) -> None:
    """Refuses paths that cannot lie in one folder together."""
    taken = set(paths)
    if len(taken) != len(paths):
        raise Invalid("bad-manifest", "two files have the same path", "give each file its own path")
    for path in paths:
        parents = path.split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            if (parent := "/".join(parents[:depth])) in taken:
                raise Invalid("bad-manifest", f"{parent!r} is both a file and a folder", "rename one of them")


def check_digest(text: str) -> str:
    """`text` if it is 64 lower-case hex digits. Raises Invalid."""
    if not isinstance(text, str) or not _HEX64.fullmatch(text):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise Invalid("bad-digest", f"{str(text)[:80]!r} is not a sha256", "give 64 lower-case hex digits")
    return text


def check_path(path: str) -> str:
    """`path` if it is text that stays inside its folder on every system. Raises Invalid."""
    try:
        parts = path.split("/")
        sizes = [len(part.encode()) for part in parts]
    except (AttributeError, UnicodeEncodeError) as error:
        raise Invalid("bad-path", f"the path {path!r:.120} is not Unicode text", "rename the file") from error
    hostile = any(c in "\\\x7f" or c < " " for c in path) or ":" in parts[0] or any(p in ("", ".", "..") for p in parts)
    if hostile or max(sizes) > MAX_NAME_BYTES or sum(sizes) + len(sizes) > MAX_PATH_BYTES:
        raise Invalid("bad-path", f"the path {path[:120]!r} may leave its folder", "use a short relative path without '..'")
    return path
