"""Placeholder."""
from __future__ import annotations
from collections.abc import Mapping
from pathlib import Path
from touyan.core.canonical import Json


def describe_documents(provider: str, name: str, rights_record: str, shards: list[Path], summary: Mapping[str, Json], rights: str) -> dict[str, Json]:
    return {"name": name}
