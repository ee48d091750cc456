"""`site.yaml`: the owner's policy as a file, read with the line of every mistake.

Owns the names of the fields. Knows nothing of what they lead to: that is `policy.py`. Invariant: a file with a field that is not
known, or with two Parties on one account, is refused whole.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import time
from pathlib import Path
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from touyan.compute.resources import Capacity, read_capacity
from touyan.compute.site.policy import DAYS, Day, Largest, Opening, Policy
from touyan.core.errors import TouyanError
from touyan.core.job import NeedClass
from touyan.core.names import nearest
from touyan.core.rights import PURPOSES, Purpose
from touyan.store.formats.yaml import Location, Marked, read_yaml

FILE = "site.yaml"
VERSION = 1
KINDS: tuple[NeedClass, ...] = ("general", "ai", "hpc")
_FIELDS = (
    "site", "roots", "accounts", "purposes", "kinds", "denied", "largest", "open", "time_zone", "when_closed", "slots", "threads",
    "pace_s", "cache_gib", "keep_h", "python", "driver", "pools", "link_bytes_s", "offer",
)  # fmt: skip
_ACCOUNT = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,62}")
_KEY = re.compile(r"[a-z0-9-]+:[0-9a-f]{64}")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


def read_policy(path: Path) -> Policy:
    """Reads and checks a site's policy. Raises Missing, and Invalid (`bad-site`) with file, line and the nearest valid name."""
    marked = read_yaml(path, "bad-site")
    value = _mapping(marked, (), _FIELDS)
    if value.get("site") != VERSION:
        raise marked.error(("site",), "a site's policy begins with its version", f"write `site: {VERSION}`")
    reader = _Reader(marked, value)
    return Policy(
        roots=_roots(marked), accounts=_accounts(marked), denied=frozenset(_texts(marked, ("denied",))), largest=_largest(marked),
        purposes=cast("tuple[Purpose, ...]", reader.words("purposes", PURPOSES)), kinds=reader.words("kinds", KINDS),
        openings=_openings(marked), time_zone=_time_zone(marked),
        when_closed=cast(Literal["finish", "stop"], reader.word("when_closed", ("finish", "stop"))),
        slots=int(reader.number("slots", 1, 1)), threads=int(reader.number("threads", 1, 1)), pace_s=reader.number("pace_s", 5, 0.2),
        cache_gib=reader.number("cache_gib", 50), keep_h=reader.number("keep_h", 24), python=_python(marked),
        capacity=_capacity(marked, reader.words("kinds", KINDS)), driver=_free(marked, ("driver",)),
    )  # fmt: skip


class _Reader:
    """Single values of the file's top level."""

    def __init__(self, marked: Marked, value: Mapping[str, Any]) -> None:
        self._marked = marked
        self._value = value

    def number(self, name: str, default: float, least: float = 0) -> float:
        return _number(self._marked, (name,), self._value.get(name, default), least)

    def word(self, name: str, valid: tuple[str, ...]) -> str:
        given = self._value.get(name, valid[0])
        if given not in valid:
            raise self._marked.error((name,), f"{given!r:.80} is not known here", nearest(str(given), valid))
        return str(given)

    def words(self, name: str, valid: tuple[str, ...]) -> tuple[str, ...]:
        given = _texts(self._marked, (name,)) if name in self._value else valid
        for at, word in enumerate(given):
            if word not in valid:
                raise self._marked.error((name, at), f"{word!r:.80} is not known here", nearest(word, valid))
        return tuple(given)


def _roots(marked: Marked) -> dict[str, str]:
    """`ORGANISATION: ed25519-sha256:HEX`."""
    roots = {k: str(v) for k, v in _free(marked, ("roots",)).items()}
    for organisation, key in roots.items():
        if not _KEY.fullmatch(key):
            words = f"{key!r:.80} is no id of a key"
            raise marked.error(("roots", organisation), words, "the hub's operator prints it: touyan party list --json")
    if not roots:
        raise marked.error(
            ("roots",), "no root key is pinned, so that nobody's signature would count", "name organisation and key"
        )
    return roots


def _accounts(marked: Marked) -> dict[str, str]:
    """`PARTY: ACCOUNT`."""
    accounts = {k: str(v) for k, v in _free(marked, ("accounts",)).items()}
    holders: dict[str, str] = {}
    for party, account in accounts.items():
        if not _ACCOUNT.fullmatch(account) or account == "root":
            hint = "small letters, digits, '.', '_' and '-', as accounts of the machine are named"
            raise marked.error(("accounts", party), f"{account!r:.80} is no account", hint)
        if account in holders:
            words = f"the account {account!r} is {holders[account]}'s already"
            raise marked.error(("accounts", party), words, "give each party an account of its own")
        holders[account] = party
    return accounts


def _largest(marked: Marked) -> Largest:
    names = [f.name for f in fields(Largest)]
    given = _mapping(marked, ("largest",), names)
    numbers = {n: _number(marked, ("largest", n), v, 0) for n, v in given.items()}
    return Largest(**cast("dict[str, Any]", numbers))


def _openings(marked: Marked) -> tuple[Opening, ...]:
    listed = _at(marked, ("open",)) or []
    if not isinstance(listed, list):
        raise marked.error(("open",), "the hours are a list", 'write `- {days: [mon, tue], from: "19:00", to: "07:00"}`')
    return tuple(_opening(marked, ("open", n)) for n in range(len(listed)))


def _opening(marked: Marked, place: Location) -> Opening:
    given = _mapping(marked, place, ("days", "from", "to"))
    days = _texts(marked, (*place, "days")) if "days" in given else DAYS
    for at, day in enumerate(days):
        if day not in DAYS:
            raise marked.error((*place, "days", at), f"{day!r:.80} is no day", nearest(day, DAYS))
    begins, ends = (_hour(marked, (*place, n), given.get(n, default)) for n, default in (("from", "00:00"), ("to", "24:00")))
    return Opening(frozenset(cast("Iterable[Day]", days)), begins, ends)


def _hour(marked: Marked, place: Location, text: object) -> time:
    if not isinstance(text, str) or not _HOURS.fullmatch(text):
        raise marked.error(place, f"{text!r:.80} is no time of day", 'write it in quotes, as "07:00"')
    return time.max if text == "24:00" else time.fromisoformat(text)


def _time_zone(marked: Marked) -> str:
    name = str(_at(marked, ("time_zone",)) or "UTC")
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise marked.error(("time_zone",), f"{name!r:.80} is no time zone", "such as Asia/Shanghai or UTC") from error
    return name


def _python(marked: Marked) -> str:
    path = str(_at(marked, ("python",)) or "")
    if path and not os.path.isabs(path):
        raise marked.error(("python",), f"{path!r:.80} is no absolute path", "such as /opt/touyan/bin/python")
    return path


def _capacity(marked: Marked, kinds: tuple[str, ...]) -> Capacity:
    """`pools`, `link_bytes_s` and `offer`, in the words of `compute.resources`; a pool that names no kinds has those of the site."""
    given = {n: marked.value[n] for n in ("pools", "link_bytes_s", "offer") if n in marked.value}
    if isinstance(listed := given.get("pools"), list):
        given["pools"] = [{"kinds": list(kinds), **pool} if isinstance(pool, dict) else pool for pool in listed]
    try:
        return read_capacity({"pools": [], **given})
    except TouyanError as error:
        place = next((n for n in given if n.rstrip("s") in error.message), next(iter(given), ""))
        raise marked.error((place,), error.message, error.hint) from error


def _at(marked: Marked, place: Location) -> Any:
    value = marked.value
    for step in place:
        value = value.get(step) if isinstance(value, dict) else value[step]
    return value


def _free(marked: Marked, place: Location) -> dict[str, Any]:
    value = _at(marked, place)
    if not isinstance(value, dict | None):
        raise marked.error(place, "must be a mapping", "write `name: value`, a line each")
    return value or {}


def _mapping(marked: Marked, place: Location, known: Iterable[str]) -> dict[str, Any]:
    value, names = _free(marked, place), list(known)
    for name in value:
        if name not in names:
            raise marked.error((*place, name), f"{name!r:.80} is not a field here", nearest(name, names))
    return value


def _texts(marked: Marked, place: Location) -> list[str]:
    value = _at(marked, place) or []
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise marked.error(place, "must be a list of words", "write `[one, two]`")
    return value


def _number(marked: Marked, place: Location, value: object, least: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < 1e12:
        raise marked.error(place, f"must be a number from {least:g} on, not {value!r:.80}", "give a number")
    return value
