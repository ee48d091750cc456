"""Keys: suites, and the keyring in the home folder.

A suite names signature and hash; `ed25519-sha256` is built in, others (SM2 with SM3) plug in under the entry point group
`touyan.suites`. Private keys lie in files only their owner can read, and never pass through the database or a log.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast

from touyan.core.canonical import sha256_hex
from touyan.core.dsse import Signer, Verifier
from touyan.core.errors import Broken, Conflict, Missing
from touyan.store.objects import flush_folder

DEFAULT_SUITE = "ed25519-sha256"
RESERVED = ("retired-", "next-")
"""How the files of keys begin that no Party may be named after."""


class Suite(Protocol):
    """One way to sign. Keys pass as hex texts."""

    name: str

    def new(self) -> tuple[str, str]:
        """A new pair: private hex, public hex."""
        ...

    def sign(self, private_hex: str, data: bytes) -> bytes: ...

    def verify(self, public_hex: str, data: bytes, signature: bytes) -> bool: ...


class Ed25519:
    """RFC 8032 through the `cryptography` package."""

    name = DEFAULT_SUITE

    def new(self) -> tuple[str, str]:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        private = Ed25519PrivateKey.generate()
        return private.private_bytes_raw().hex(), private.public_key().public_bytes_raw().hex()

    def sign(self, private_hex: str, data: bytes) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private_hex)).sign(data)

    def verify(self, public_hex: str, data: bytes, signature: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_hex)).verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True


def suite(name: str) -> Suite:
    """The suite of that name. Raises Missing."""
    if name == DEFAULT_SUITE:
        return Ed25519()
    for point in entry_points(group="touyan.suites", name=name):
        return cast(Suite, point.load()())
    raise Missing("no-suite", f"the signature suite {name!r} is not installed", "install the plug-in that provides it")


def key_id(suite_name: str, public_hex: str) -> str:
    """`suite:sha256 of the public key`."""
    return f"{suite_name}:{sha256_hex(bytes.fromhex(public_hex))}"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that can check signatures."""

    key_id: str
    public_hex: str

    def verify(self, data: bytes, signature: bytes) -> bool:
        name, _, _ = self.key_id.partition(":")
        return self.key_id == key_id(name, self.public_hex) and suite(name).verify(self.public_hex, data, signature)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key with its public half. Its `repr` shows no secret."""

    key_id: str
    public_hex: str
    _private_hex: str

    def sign(self, data: bytes) -> bytes:
        return suite(self.key_id.partition(":")[0]).sign(self._private_hex, data)

    def __repr__(self) -> str:
        return f"KeyPair({self.key_id})"


def new_pair(suite_name: str = DEFAULT_SUITE) -> KeyPair:
    private_hex, public_hex = suite(suite_name).new()
    return KeyPair(key_id(suite_name, public_hex), public_hex, private_hex)


class Keyring:
    """The private keys in one folder, a file a name: `root`, `log`, or the name of a Party."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, name: str, suite_name: str = DEFAULT_SUITE) -> KeyPair:
        """A new key under `name`. Raises Conflict where there is one."""
        pair = new_pair(suite_name)
        self.keep(name, pair)
        return pair

    def keep(self, name: str, pair: KeyPair) -> None:
        """Keeps `pair` under `name`. Raises Conflict where there is a key."""
        if not write_secret(self._path(name), _key_text(pair)):
            raise Conflict("key-exists", f"there is a key {name!r} already", "rotate it: touyan party rotate NAME")

    def stage(self, name: str) -> KeyPair:
        """A new key that is to take over `name`, in the suite of the present one; kept beside it until `promote`."""
        pair = new_pair(self.load(name).key_id.partition(":")[0] if self.has(name) else DEFAULT_SUITE)
        self._staged(name).unlink(missing_ok=True)
        write_secret(self._staged(name), _key_text(pair))
        return pair

    def staged(self, name: str) -> KeyPair | None:
        """The staged key of `name`, where a rotation was cut off."""
        return _read_key(self._staged(name), name) if self._staged(name).exists() else None

    def promote(self, name: str) -> None:
        """The staged key takes the name, the one before it is put aside under its id. Safe to repeat after a crash."""
        if not self._staged(name).exists():
            return
        if self.has(name):
            self.retire(name)
        self._staged(name).rename(self._path(name))
        flush_folder(self.folder)

    def set_aside(self) -> Path | None:
        """Moves all keys into a folder of their own, deleting none; the folder, or None where there were no keys."""
        keys = sorted(self.folder.glob("*.json"))
        if not keys:
            return None
        corner = self.folder / f"set-aside-{secrets.token_hex(8)}"
        corner.mkdir(mode=0o700)
        for path in keys:
            path.rename(corner / path.name)
        return corner

    def load(self, name: str) -> KeyPair:
        """The key under `name`. Raises Missing or Broken."""
        path = self._path(name)
        if not path.exists():
            raise Missing("no-key", f"there is no key {name!r} in this keyring", "see: touyan party list")
        return _read_key(path, name)

    def has(self, name: str) -> bool:
        return self._path(name).exists()

    def retire(self, name: str) -> None:
        """Puts the key aside under its id, so that a new one may take the name."""
        pair = self.load(name)
        self._path(name).rename(self.folder / f"retired-{pair.key_id.partition(':')[2][:16]}.json")

    def names(self) -> list[str]:
        return sorted(p.stem for p in self.folder.glob("*.json") if not p.name.startswith(RESERVED))

    def _path(self, name: str) -> Path:
        return self.folder / f"{name.replace('/', '~')}.json"

    def _staged(self, name: str) -> Path:
        return self.folder / f"next-{name.replace('/', '~')}.json"


def _key_text(pair: KeyPair) -> str:
    private_hex = pair._private_hex  # pyright: ignore[reportPrivateUsage]
    return json.dumps({"key_id": pair.key_id, "public_hex": pair.public_hex, "private_hex": private_hex})


def _read_key(path: Path, name: str) -> KeyPair:
    try:
        fields = json.loads(path.read_text())
        return KeyPair(fields["key_id"], fields["public_hex"], fields["private_hex"])
    except (ValueError, KeyError, TypeError) as error:
        raise Broken(
            "bad-key", f"the key file of {name!r} is damaged", "restore it, or report it lost: touyan party lost NAME"
        ) from error


def write_secret(path: Path, text: str) -> bool:
    """Writes a file that only its owner reads, whole or not at all; False, and nothing changed, where there is one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # unlike a rename, a link never takes the place of what another process wrote
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    flush_folder(path.parent)
    return True


def as_signer(pair: KeyPair) -> Signer:
    return pair


def as_verifier(key: PublicKey | KeyPair) -> Verifier:
    return PublicKey(key.key_id, key.public_hex)
