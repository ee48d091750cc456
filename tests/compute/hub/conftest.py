"""A hub over a fresh store with a still clock."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from agents import World

from touyan.store.home import Store


@pytest.fixture
def world(sqlite_store: Store) -> World:
    return World(sqlite_store)
