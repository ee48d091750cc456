"""The local driver keeps the contract of all drivers."""

from __future__ import annotations

from pathlib import Path

import pytest
from contract import DriverContract, World

from touyan.compute.drivers.local import LocalDriver


class TestLocalDriver(DriverContract):
    @pytest.fixture
    def world(self, tmp_path: Path) -> World:
        return World(tmp_path, LocalDriver, outlives_agent=False)
