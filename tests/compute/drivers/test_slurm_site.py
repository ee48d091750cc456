"""The Slurm driver on a real Slurm: two nodes, accounting on, two accounts with a user of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from contract import DriverContract, World
from slurm_site import SlurmSite, open_site, what_is_missing

from touyan.compute.drivers.slurm import open_driver

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(what_is_missing()), reason=what_is_missing() or "-")]
GRES = {"a800-80g": "gpu:a800", "ascend-910b": "gpu:ascend910b"}


@pytest.fixture(scope="module")
def site() -> Iterator[SlurmSite]:
    """Up for all tests of this file; a full start takes about ten seconds."""
    with open_site("site-a") as up:
        yield up


def terms_of(site: SlurmSite, **given: object) -> dict[str, object]:
    return {"conf": str(site.conf), "gres": GRES, "partition": "main", **given}


class TestSlurmCommands(DriverContract):
    @pytest.fixture
    def world(self, site: SlurmSite, tmp_path: Path) -> World:
        return World(tmp_path, lambda: open_driver(terms_of(site)))


class TestSlurmRest(DriverContract):
    @pytest.fixture
    def world(self, site: SlurmSite, tmp_path: Path) -> World:
        return World(tmp_path, lambda: open_driver(terms_of(site, url=site.url)))
