"""Acting as the account of a Party, where the agent may: whatever a payload left behind is then read with that payload's rights.

Owns the change of the effective user and of the owner of folders. Knows nothing of Parties. Invariant: a link that a payload
made to somebody else's file opens nothing, because the kernel sees the Party's own account. Where the agent is not root it
has no other rights to lend, and nothing changes.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

PASSAGE_MODE = 0o751


def user_of(account: str) -> pwd.struct_passwd | None:
    """The local user behind an account, where we are root and there is one; a namespace or association need be none."""
    if os.geteuid() != 0 or not account:
        return None
    try:
        return pwd.getpwnam(account)
    except KeyError:
        return None


@contextmanager
def acting_as(account: str) -> Generator[None]:
    """Within, files are opened with the rights of `account`. Not for threads: the effective user is the process's."""
    user = user_of(account)
    if user is None:
        yield
        return
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(user.pw_gid)
    os.seteuid(user.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def give(folder: Path, account: str) -> None:
    """Makes a staged folder the account's own, closed to all others. The folder itself comes last: until then the account cannot enter
    it, and so cannot put a link in the place of a folder whose files are still to be handed over (`chown` follows those above)."""
    folder.chmod(0o700)
    user = user_of(account)
    if user is not None:
        for path in _folders(folder):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def make_passage(folders: Iterable[Path], account: str) -> None:
    """Makes folders, parents first, that belong to the agent: the account walks through and lists them, others walk through only,
    and no payload can put a link in the place of one."""
    user = user_of(account)
    for folder in folders:
        folder.mkdir(mode=PASSAGE_MODE, exist_ok=True)
        folder.chmod(PASSAGE_MODE)
        if user is not None:
            os.chown(folder, -1, user.pw_gid)


def _folders(folder: Path) -> Iterator[Path]:
    for root, _, files in os.walk(folder, topdown=False):
        yield from (Path(root) / name for name in files)
        yield Path(root)
