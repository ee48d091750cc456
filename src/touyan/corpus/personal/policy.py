"""What is done with each kind of identifier: masked, given a pseudonym, kept, or the whole document dropped.

Owns the actions, their defaults and the words that stand in the text instead. Knows nothing about documents. Invariant: every
kind has an action and a replacement, and no replacement is itself an identifier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from touyan.core.errors import Invalid
from touyan.core.names import nearest
from touyan.corpus.personal.identifier import NOBODYS, PRIORITY

Action = Literal["mask", "pseudonym", "keep", "drop"]
"""mask: the kind stands in its place. pseudonym: the kind and a keyed tag, the same for the same person wherever the key is the
same. keep: noted, not changed. drop: the document leaves the corpus."""

KINDS: tuple[str, ...] = tuple(PRIORITY)
IDENTIFIERS: tuple[str, ...] = tuple(kind for kind in KINDS if kind != "person")
"""All kinds but names, which cost more than the rest together and are asked for by name."""
REPLACEMENTS: Mapping[str, str] = {
    "email": "[邮箱]", "id-card": "[身份证号]", "uscc": "[统一社会信用代码]", "vin": "[车架号]", "bank-card": "[银行卡号]",
    "mobile": "[手机号]", "hotline": "[服务热线]", "landline": "[电话号码]", "ip": "[IP地址]", "mac": "[MAC地址]", "plate": "[车牌号]",
    "passport": "[护照号]", "travel-permit": "[通行证号]", "wechat": "[微信号]", "qq": "[QQ号]", "social-card": "[社保卡号]",
    "birth-date": "[出生日期]", "address": "[地址]", "office-address": "[单位地址]", "person": "[姓名]",
}  # fmt: skip
REASONS: Mapping[str, str] = {
    "email": "the form of an e-mail address",
    "id-card": "18 characters whose province, date of birth and check character agree (GB 11643), or 15 so named",
    "uscc": "18 characters whose classes and check character agree (GB 32100): an organisation",
    "vin": "17 characters whose check digit agrees (GB 16735)",
    "bank-card": "16 to 19 digits with an issuer's prefix that pass the Luhn check (ISO/IEC 7812-1)",
    "mobile": "11 digits in the form of a mobile number",
    "hotline": "a freephone number: an organisation",
    "landline": "an area code and a local number, or a local number after a word for telephones",
    "ip": "an address of the Internet that is neither private nor a version",
    "mac": "six pairs of hexadecimal digits",
    "plate": "province, office and places of a number plate (GA 36)",
    "passport": "the form of a passport number after the word",
    "travel-permit": "the form of a permit number after the word",
    "wechat": "an account after the word WeChat",
    "qq": "an account after the word QQ",
    "social-card": "a number after the word for an insurance or patient card",
    "birth-date": "a date that the text calls somebody's birth",
    "address": "a house, unit or room of somebody's home",
    "office-address": "a street and a number, not said to be a home",
    "person": "a name of a person",
}


def policy_of(entries: Sequence[str]) -> dict[str, Action]:
    """The action of every kind: what `entries` say, each 'kind=action', and otherwise keep for what is nobody's, mask for the rest.

    Raises Invalid for a kind or an action that does not exist.
    """
    actions: dict[str, Action] = {kind: "keep" if kind in NOBODYS else "mask" for kind in KINDS}
    for entry in entries:
        kind, _, action = (part.strip() for part in entry.partition("="))
        if kind not in actions:
            raise Invalid("no-such-kind", f"the policy of the mask names the kind {kind!r}", nearest(kind, KINDS))
        if action not in get_args(Action):
            raise Invalid(
                "no-such-action", f"the policy of the mask says {entry!r}", f"write {kind}= one of {', '.join(get_args(Action))}"
            )
        actions[kind] = action  # type: ignore[assignment]
    return actions


def kinds_of(kinds: Sequence[str]) -> frozenset[str]:
    """The kinds as a set. Raises Invalid for one that does not exist."""
    for kind in kinds:
        if kind not in PRIORITY:
            raise Invalid("no-such-kind", f"the mask is asked for the kind {kind!r}", nearest(kind, KINDS))
    return frozenset(kinds)
