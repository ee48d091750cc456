"""Envelopes: whatever is changed, the signature no longer fits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.core.dsse import Signature, encode, read_envelope, seal, signed_by, unseal
from touyan.core.errors import Invalid, Refused
from touyan.store.keys import as_verifier, new_pair

PAIR, OTHER = new_pair(), new_pair()
KEYS = {PAIR.key_id: as_verifier(PAIR)}
SEALED = seal("text/plain", b"hello world", PAIR)


def test_what_is_signed_is_the_encoding_of_the_specification() -> None:
    """The example of the DSSE v1 protocol."""
    assert encode("http://example.com/HelloWorld", b"hello world") == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_an_envelope_comes_back_from_json() -> None:
    assert read_envelope(SEALED.to_json()) == SEALED
    assert unseal(SEALED, "text/plain", KEYS) == b"hello world"


@given(st.integers(0, 10), st.integers(1, 255))
def test_a_changed_payload_is_refused(position: int, change: int) -> None:
    data = bytearray(SEALED.payload)
    data[position] ^= change
    with pytest.raises(Refused):
        unseal(replace(SEALED, payload=bytes(data)), "text/plain", KEYS)


@given(st.integers(0, 63), st.integers(1, 255))
def test_a_changed_signature_is_refused(position: int, change: int) -> None:
    value = bytearray(SEALED.signatures[0].value)
    value[position] ^= change
    forged = replace(SEALED, signatures=(Signature(PAIR.key_id, bytes(value)),))
    assert not signed_by(forged, KEYS)


def test_another_type_another_key_or_no_signature_is_refused() -> None:
    with pytest.raises(Refused):
        unseal(SEALED, "text/html", KEYS)
    for envelope in (
        replace(SEALED, signatures=()),
        seal("text/plain", b"hello world", OTHER),
        replace(SEALED, signatures=(Signature(OTHER.key_id, SEALED.signatures[0].value),)),
        replace(SEALED, payload_type="text/html"),
    ):
        with pytest.raises(Refused):
            unseal(envelope, envelope.payload_type, KEYS)


def test_bytes_cannot_move_between_type_and_payload() -> None:
    assert encode("a 1", b"b") != encode("a", b"1 b")


@pytest.mark.parametrize("value", [None, [], {"payloadType": "a"}, {"payloadType": "a", "payload": "!", "signatures": []},
                                   {"payloadType": "a", "payload": "", "signatures": [{"sig": ""}]}])  # fmt: skip
def test_what_is_no_envelope_is_told_so(value: object) -> None:
    with pytest.raises(Invalid):
        read_envelope(value)  # type: ignore[arg-type]
