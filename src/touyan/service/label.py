"""Labels on generated content: the words a person reads, and the metadata a program reads.

Follows the measures on labelling AI-generated synthetic content (in force 2025-09-01: art. 4 explicit, art. 5 implicit labels)
and GB 45438-2025, Annex E: seven fields in a fixed order. There is a writer and a verifier, and on purpose nothing that takes
a label away (art. 10). Invariant: a label that verifies was made by the stated key for exactly this text and this number.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from touyan.core.canonical import canonical, sha256_hex
from touyan.core.dsse import Signer, Verifier, encode
from touyan.core.errors import Invalid, Refused

Place: TypeAlias = Literal["end", "start", "notice"]
"""Where the explicit label stands: in the text, or beside it (`notice`), for a client that always shows it near the dialogue."""

NOTICE = "本内容由人工智能生成 (AI-generated content)"
PAYLOAD_TYPE = "application/vnd.touyan.aigc-label+json"
FIELDS = ("Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2")

_USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
_USCC_DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015: 31 characters, without I, O, S, V and Z
_SUFFIX = re.compile(r"[0-9A-Z]{5}")
_PRODUCER = re.compile(r"001(1)([0-9A-Z]{18})([0-9A-Z]{5})")


def marked(text: str, place: Place) -> str:
    """`text` with its explicit label (art. 4(1): at the start, the end or another fitting place)."""
    before, after = around(place)
    return before + text + after


def around(place: Place) -> tuple[str, str]:
    """What stands before and after a text, for one that is sent piece by piece."""
    return {"start": (f"{NOTICE}\n", ""), "end": ("", f"\n\n{NOTICE}"), "notice": ("", "")}[place]


def write_label(producer: str, produce_id: str, text: str, signer: Signer | None) -> dict[str, dict[str, str]]:
    """The implicit label of a finished text as it was delivered, explicit label included.

    ReservedCode1 is `key_id;sha256 of the UTF-8 text;base64 signature`. Without a signer it stays empty: for the header of a
    stream, which is sent before the text is known; the last event of the stream carries the whole label.
    """
    check_producer(producer)
    code = ""
    if signer is not None:
        content = sha256_hex(text.encode("utf-8", "surrogatepass"))
        signature = signer.sign(_signed(producer, produce_id, content))
        code = f"{signer.key_id};{content};{base64.b64encode(signature).decode()}"
    return {"AIGC": dict(zip(FIELDS, ("1", producer, produce_id, code, "", "", ""), strict=True))}


def header(label: Mapping[str, Mapping[str, str]]) -> str:
    """A label as an HTTP header: JSON in ASCII."""
    return json.dumps(label, ensure_ascii=True, separators=(",", ":"))


def verify_label(label: Mapping[str, object], text: str, verifier: Verifier) -> str:
    """The number (ProduceID) of a text whose label is whole and was signed for it. Raises Invalid, or Refused with the reason."""
    fields = read_label(label)
    key_id, content, signature = _code(fields["ReservedCode1"])
    if key_id != verifier.key_id:
        raise Refused("other-signer", f"the label was signed by {key_id[:60]}", "give the public key of that signer")
    if content != sha256_hex(text.encode("utf-8", "surrogatepass")):
        raise Refused(
            "other-text", "the label was made for another text", "compare with the text as it was delivered, its notice included"
        )
    if not verifier.verify(_signed(fields["ContentProducer"], fields["ProduceID"], content), signature):
        raise Refused("bad-signature", "the signature of the label is not good", "treat the text as having no label")
    return fields["ProduceID"]


def read_label(label: Mapping[str, object]) -> dict[str, str]:
    """The seven fields of a label, checked. Raises Invalid."""
    fields = label.get("AIGC")
    if not isinstance(fields, Mapping) or tuple(fields) != FIELDS or not all(isinstance(v, str) for v in fields.values()):
        raise Invalid(
            "bad-label", "not a label of GB 45438-2025: seven text fields in order", f"the fields are: {', '.join(FIELDS)}"
        )
    if fields["Label"] not in ("1", "2", "3"):
        raise Invalid("bad-label", f"Label is {fields['Label'][:20]!r}", "it is 1 (generated), 2 (may be) or 3 (suspected)")
    check_producer(fields["ContentProducer"])
    return dict(fields)


def _signed(producer: str, produce_id: str, content: str) -> bytes:
    body = canonical({"aigc": 1, "producer": producer, "produce_id": produce_id, "content_sha256": content})
    return encode(PAYLOAD_TYPE, body)


def _code(code: str) -> tuple[str, str, bytes]:
    try:
        key_id, content, signature = code.split(";")
        return key_id, content, base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error) as error:
        raise Invalid("bad-label", "ReservedCode1 holds no signature", "ask for the label at the end of the answer") from error


@dataclass(frozen=True, slots=True)
class ProducerCode:
    """A provider code of TC260-PG-20252A: `001`, `1` (organisation), its social credit code, five characters of its own."""

    credit_code: str
    suffix: str = "00000"

    def __post_init__(self) -> None:
        check_credit_code(self.credit_code)
        if not _SUFFIX.fullmatch(self.suffix):
            raise Invalid(
                "bad-producer", f"{self.suffix[:20]!r} is no suffix", "use five digits or capital letters, such as 00000"
            )

    def __str__(self) -> str:
        return f"0011{self.credit_code}{self.suffix}"


def check_producer(producer: str) -> str:
    """A provider's name or code (art. 5). What looks like a code must be a good one. Raises Invalid."""
    if not producer or len(producer) > 200 or not producer.isprintable():
        raise Invalid(
            "bad-producer",
            "the producer of a label is a name or code of 1 to 200 printable characters",
            "set the producer of the service",
        )
    if found := _PRODUCER.fullmatch(producer):
        check_credit_code(found[2])
    return producer


def check_credit_code(code: str) -> str:
    """`code` if it is a unified social credit code with a good check digit (GB 32100-2015). Raises Invalid."""
    if not _USCC.fullmatch(code) or credit_check_digit(code[:17]) != code[17]:
        raise Invalid(
            "bad-credit-code",
            f"{code[:30]!r} is no unified social credit code",
            "check the 18 characters on the business licence",
        )
    return code


def credit_check_digit(first_17: str) -> str:
    """The 18th character: `31 - sum(3^i mod 31 * value_i) mod 31`, with 31 read as 0."""
    total = sum(pow(3, i, 31) * _USCC_DIGITS.index(c) for i, c in enumerate(first_17))
    return _USCC_DIGITS[(31 - total % 31) % 31]
