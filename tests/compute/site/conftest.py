"""The world of a site's agent, as `site_world.py` makes it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from site_world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "site")
