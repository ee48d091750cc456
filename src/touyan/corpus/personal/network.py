"""Addresses of the network and names on it: e-mail, IP and MAC addresses, WeChat and QQ accounts.

Owns their forms, the disguises of the sign @ that people use against harvesters, and the words that ask for an account.
Knows nothing about what an address leads to. Invariant: versions and numbers of sections are no IP addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address

from touyan.corpus.personal.identifier import Identifier, Kind

_USER = r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9_][A-Za-z0-9._%+\-]{0,254}"  # RFC 5321: a path has at most 256 octets
_EMAIL = re.compile(rf"{_USER} ?@ ?(?:[A-Za-z0-9][A-Za-z0-9\-]{{0,62}}\.)+[A-Za-z]{{2,24}}")
_DISGUISE = re.compile(
    rf"{_USER} ?(?:#|[(（\[【] ?(?:at|AT|@) ?[)）\]】]) ?(?:[A-Za-z0-9][A-Za-z0-9\-]{{0,62}}\.)+[A-Za-z]{{2,24}}(?![A-Za-z0-9])"
)

_IP4 = re.compile(r"(?<![0-9A-Za-z.\-])(?:\d{1,3}\.){3}\d{1,3}(?![0-9]|\.[0-9]|[A-Za-z])")
_IP6 = re.compile(r"(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{1,4}:{1,2}){2,7}(?:[0-9A-Fa-f]{1,4})?(?![0-9A-Za-z:])")
_IP_WORD = re.compile(r"(?:IP|ip|Ip|地址|登录|主机|服务器|网关|访问|源|来自|[Hh]ost)[^\n。；]{0,14}\Z")
_VERSION_WORD = re.compile(
    r"(?:[Vv](?:er(?:sion)?)?\.?|版本?号?|升级[到至为]|更新[到至为]|第|Chrome/|固件|系统)[为是:： ]{0,2}\Z"
)
_SECTION = re.compile(r" ?[节条款版章项表图.、]")
_MAC = re.compile(r"(?<![0-9A-Za-z:\-])[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})(?![0-9A-Za-z:\-])")

_NAMED = r"(?: ?(?:账号|帐号|号码|号|群|群号|ID|id|同号))?[为是叫:： ]{0,3}[(（\"“]?"
_WECHAT = re.compile(  # the form that WeChat prescribes, or a mobile number
    rf"(?:[微薇威]\s?信|(?<![A-Za-z\-_.])(?:[Ww]e[Cc]hat|[Ww]eixin|[WwVv][Xx](?![a-z]))){_NAMED}"
    r"(?P<id>[A-Za-z][A-Za-z0-9_\-]{5,19}|1[3-9]\d{9})(?![A-Za-z0-9_\-@.])"
)
_QQ = re.compile(rf"(?:(?<![A-Za-z])[Qq][Qq]|扣扣){_NAMED}(?P<id>[1-9]\d{{4,10}})(?![0-9A-Za-z@])")

_ACCOUNTS: tuple[tuple[Kind, re.Pattern[str]], ...] = (("wechat", _WECHAT), ("qq", _QQ))


def emails(text: str) -> Iterator[Identifier]:
    """E-mail addresses in a folded text, with @, with # or with (at)."""
    for match in _EMAIL.finditer(text):
        yield Identifier(match.start(), match.end(), "email", match.group().replace(" ", "").lower())
    for match in _DISGUISE.finditer(text):
        canonical = re.sub(r"#|[(（\[【](?:at|@)[)）\]】]", "@", match.group().replace(" ", "").lower())
        yield Identifier(match.start(), match.end(), "email", canonical)


def ip4(text: str) -> Iterator[Identifier]:
    """Addresses of Internet Protocol 4 that can leave a house: not private, loopback, multicast (RFC 6890)."""
    for match in _IP4.finditer(text):
        if _is_routed(match.group()) and not _is_numbering(text, match):
            yield Identifier(match.start(), match.end(), "ip", match.group())


def pairs(text: str) -> Iterator[Identifier]:
    """MAC addresses, and addresses of Internet Protocol 6 that can leave a house, in canonical form (RFC 5952)."""
    for match in _MAC.finditer(text):
        yield Identifier(match.start(), match.end(), "mac", match.group().replace("-", ":").upper())
    for match in _IP6.finditer(text):
        if match.group().count(":") > 4 and _is_routed(match.group()):
            yield Identifier(match.start(), match.end(), "ip", str(IPv6Address(match.group())))


def accounts(text: str) -> Iterator[Identifier]:
    """WeChat and QQ accounts after the word that names them. A group's number is as good as its members'."""
    for kind, form in _ACCOUNTS:
        for match in form.finditer(text):
            yield Identifier(*match.span("id"), kind, match["id"])


def _is_routed(spelling: str) -> bool:
    """Addresses for documentation (RFC 5737, RFC 3849) count: who writes about them writes about nobody, but so it is tried."""
    try:
        address = ip_address(spelling)
    except ValueError:
        return False
    indoors = address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified
    return not (
        indoors or spelling.startswith(("10.", "192.168.", "0.", "255.")) or re.match(r"172\.(?:1[6-9]|2\d|3[01])\.", spelling)
    )


def _is_numbering(text: str, match: re.Match[str]) -> bool:
    """A version or a section: named so, or four small numbers without a word for addresses before them."""
    before = text[max(0, match.start() - 24) : match.start()]
    if _VERSION_WORD.search(before) or _SECTION.match(text, match.end()):
        return True
    parts = match.group().split(".")
    return (len(parts[0]) == 1 or max(map(len, parts)) < 3) and not _IP_WORD.search(before)
