"""A hub over a fresh store, whose matcher is the real one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "hub"))
from agents import World

from touyan.compute.matching.place import SiteMatcher
from touyan.store.home import Store


@pytest.fixture
def matched(sqlite_store: Store) -> World:
    return World(sqlite_store, SiteMatcher())
