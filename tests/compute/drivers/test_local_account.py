"""Where the agent is root, a payload of the local driver is its Party's own, and so is what the driver writes beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from touyan.compute.driver import Limits, Order
from touyan.compute.drivers.local import LocalDriver
from touyan.compute.folder import AttemptFolder
from touyan.compute.site.accounts import give, user_of
from touyan.core.errors import Broken

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may act as another account")
ACCOUNT = "games"
WHO = """#!/bin/sh
id -ru > "$4/who"; id -u >> "$4/who"; id -G >> "$4/who"
"""
"""In the place of the interpreter: says as whom it runs. Its arguments: -P -m MODULE ATTEMPT_DIR …"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that every account may enter; pytest's own are closed."""
    with TemporaryDirectory() as root:
        Path(root).chmod(0o711)
        yield Path(root)


@pytest.fixture
def order(home: Path) -> Order:
    folder = AttemptFolder(home / "j-1")
    folder.create()
    give(folder.root, ACCOUNT)
    return Order("j-1", folder.root, "m", Limits(60.0, 60, 1 << 30), {"PATH": os.defpath}, 1, ACCOUNT)


@pytest.fixture
def driver(home: Path) -> LocalDriver:
    program = home / "who"
    program.write_text(WHO)
    program.chmod(0o755)
    return LocalDriver(str(program))


def test_a_payload_runs_as_the_account_of_its_party(driver: LocalDriver, order: Order) -> None:
    driver.start(order)
    while driver.wait(order.attempt, 1) is None:
        pass
    user = user_of(ACCOUNT)
    assert user is not None
    assert (order.root / "who").read_text().split() == [str(n) for n in (user.pw_uid, user.pw_uid, user.pw_gid)]
    assert {path.stat().st_uid for path in order.root.iterdir()} == {user.pw_uid}


def test_a_link_in_the_place_of_the_log_opens_no_file_of_root(home: Path, driver: LocalDriver, order: Order) -> None:
    theirs = home / "theirs"
    theirs.write_text("")
    (order.root / "log.txt").symlink_to(theirs)
    with pytest.raises(Broken, match="no process could be started"):
        driver.start(order)
