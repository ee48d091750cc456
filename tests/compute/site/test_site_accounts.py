"""What the accounts of two Parties can see of each other, where the agent may change accounts."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from touyan.compute.folder import AttemptFolder
from touyan.compute.site.accounts import acting_as, give, make_passage, user_of

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may act as another account")
MINE, THEIRS = "games", "news"


@pytest.fixture
def parties() -> Iterator[Path]:
    """A folder that every account may enter; pytest's own are closed."""
    with TemporaryDirectory() as root:
        Path(root).chmod(0o711)
        yield Path(root)


def staged(parties: Path, account: str) -> AttemptFolder:
    folder = AttemptFolder(parties / account / "jobs" / "j" / "j-1")
    make_passage((parties / account, parties / account / "jobs", folder.root.parent), account)
    folder.create()
    (folder.inputs / "secret").write_text(f"of {account}")
    give(folder.root, account)
    return folder


@needs_root
def test_a_party_reads_its_own_attempt_and_no_others(parties: Path) -> None:
    mine, theirs = staged(parties, MINE), staged(parties, THEIRS)
    with acting_as(MINE):
        assert (mine.inputs / "secret").read_text() == "of games"
        assert os.listdir(mine.root.parent) == ["j-1"]
        (mine.out / "made").write_text("x")
        for forbidden in (theirs.inputs / "secret", theirs.root / "spec.json"):
            with pytest.raises(PermissionError):
                forbidden.read_text()
        for closed in (theirs.root, theirs.root.parent, parties):
            with pytest.raises(PermissionError):
                os.listdir(closed)


@needs_root
def test_a_link_to_somebody_elses_file_opens_nothing(parties: Path) -> None:
    mine, theirs = staged(parties, MINE), staged(parties, THEIRS)
    (mine.out / "done.json").symlink_to(theirs.inputs / "secret")
    with acting_as(MINE), pytest.raises(PermissionError):
        (mine.out / "done.json").read_text()


@needs_root
def test_no_payload_can_put_a_link_in_the_place_of_a_folder_above_its_own(parties: Path) -> None:
    mine = staged(parties, MINE)
    with acting_as(MINE), pytest.raises(PermissionError):
        mine.root.parent.rename(mine.root.parent.with_name("k"))


def test_afterwards_the_agent_is_itself_again(parties: Path) -> None:
    before = (os.geteuid(), os.getegid(), os.getgroups())
    with pytest.raises(ZeroDivisionError), acting_as(MINE):
        _ = 1 / 0
    assert (os.geteuid(), os.getegid(), os.getgroups()) == before


def test_an_account_that_is_no_user_changes_nothing(parties: Path) -> None:
    assert user_of("") is None
    assert user_of("no-such-user-here") is None
    folder = staged(parties, "no-such-user-here")
    assert stat.S_IMODE(folder.root.stat().st_mode) == 0o700
    assert folder.root.stat().st_uid == os.geteuid()
