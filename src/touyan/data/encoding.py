"""Bytes to text without guessing: a strict ladder, then the statistics of what the decoded text looks like.

Owns the choice of an encoding for a document or a file of lines. Knows nothing about formats. Invariant: text comes only from
a strict decoding; where no encoding both decodes and looks like a language, there is no text but a reason.

UTF-8 is its own proof. GB18030 and Big5 accept most of each other's bytes, so they are told apart by how many characters are
very frequent (30 to 80 % of real text) or in common use. Ten characters are enough; what a page declares decides between equals.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from touyan.data.reader import Damaged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LIKELY_SHARE = 0.2
ORDINARY = 0.3
BENEFIT = 1.5
"""A declared encoding is taken where another is not this many times as likely."""
SAMPLE_BYTES = 1 << 18
_MEANT = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "big5": "big5hkscs", "cp950": "big5hkscs",
    "shift_jis": "cp932", "euc_kr": "cp949", "ascii": "cp1252", "iso8859-1": "cp1252", "latin-1": "cp1252",
}  # fmt: skip
"""What pages mean by these names (WHATWG Encoding Standard, section 4.2)."""

_HAN = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家"
    "电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看"
    "原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少"
    "图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联"
    "這為個國時來們於會對發動過說產種後學經進著電裡裏現實當點從業應開還無與關間樣線內數質氣變條沒結問見計別總設長資邊級圖統較將組體機務員條單違規罰責權"
    "，。、；：？！“”《》（）「」〔〕…—·　"
)
_KANA = "のにはをたがでてとしれさあいるくかっなもりまらすきけこそんーンスルトイアラリクレシ、。「」"
_HANGUL = "이다는에의가을를고하지은로도한사자기서어대인시나리정그해일들"
_LATIN = "àâäçèéêëîïôöùûüßñáíóúåæøÀÂÄÇÈÉÊËÎÏÔÖÙÛÜÑÁÍÓÚÅÆØ‘’“”–—…°«»€£·"
_FREQUENT = {
    "gb18030": _HAN, "big5hkscs": _HAN, "cp932": _HAN + _KANA, "euc_jp": _HAN + _KANA, "cp949": _HAN + _HANGUL, "cp1252": _LATIN,
}  # fmt: skip
CANDIDATES = tuple(_FREQUENT)


def decode(raw: bytes, declared: str = "") -> tuple[str, str]:
    """(text, encoding) of a whole document; `declared` is what its page or server says, which bytes may gainsay.

    Raises Damaged where no encoding fits, or where the bytes are no text at all.
    """
    name = encoding_of(raw, declared)
    try:
        text = raw.decode(name)
    except UnicodeDecodeError as error:
        raise Damaged("encoding", f"not valid {name} at byte {error.start}") from error
    if "\0" in text:
        raise Damaged("binary", "holds NUL characters: not a text")
    return text, name


def encoding_of(raw: bytes, declared: str = "") -> str:
    """The encoding of a document or of a sample of lines. Raises Damaged where none fits."""
    for mark, name in BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return name
    if _decodes(raw, "utf-8"):
        return "utf-8"
    likely = {name: _likely_share(raw, name) for name in CANDIDATES}
    best = max(likely, key=likely.__getitem__)
    believed = _meant(declared)
    if believed and likely.get(believed, LIKELY_SHARE) * BENEFIT >= max(likely[best], LIKELY_SHARE) and _decodes(raw, believed):
        return believed
    if likely[best] < LIKELY_SHARE:
        raise Damaged("encoding", f"neither UTF-8 nor any of {', '.join(CANDIDATES)}")
    return best


def encoding_of_lines(lines: Iterable[bytes]) -> str:
    """The encoding of a file of lines, of which some may be damaged: UTF-8 where most lines with non-ASCII bytes are.

    Looks at non-ASCII lines only, and at no more than 1 MiB of them. Raises Damaged.
    """
    sample: list[bytes] = []
    size = 0
    for line in lines:
        if not sample and line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise Damaged("encoding", "UTF-16 tables are not read: save the file as UTF-8")
        if not line.isascii():
            sample.append(line)
            size += len(line)
        if size >= SAMPLE_BYTES:
            break
    foreign = [line for line in sample if not _decodes(line, "utf-8")]
    return "utf-8" if 2 * len(foreign) <= len(sample) else encoding_of(b"\n".join(foreign))


def _decodes(raw: bytes, name: str) -> bool:
    try:
        raw.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _meant(declared: str) -> str:
    """The encoding that pages mean by a name; empty for UTF-8, which proves itself, and for names that Python does not know."""
    name = declared.strip().lower()
    try:
        codec = codecs.lookup(_MEANT.get(name, name))
    except (LookupError, ValueError):
        return ""
    is_text = getattr(codec, "_is_text_encoding", True)  # `base64` and `rot13` are codecs too
    return _MEANT.get(codec.name, codec.name) if is_text and not codec.name.startswith("utf") else ""


def _likely_share(raw: bytes, name: str) -> float:
    """Mean worth of the non-ASCII characters: 1 for a frequent one, ORDINARY for one in common use; 0 where bytes do not decode.

    A few damaged places in a long text do not change which encoding it is in, so the share is taken with replacement.
    """
    import numpy as np

    text = raw[:SAMPLE_BYTES].decode(name, "replace")
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    foreign = points[points > 0x7F]
    if not foreign.size or np.count_nonzero(foreign == 0xFFFD) * 50 > foreign.size:
        return 0.0
    # One byte a character accepts everything: believe it only where the text is ASCII for the most part.
    if name == "cp1252" and foreign.size * 3 > points.size:
        return 0.0
    return float(_worth(name)[np.minimum(foreign, 0xFFFF)].mean())


@cache
def _worth(name: str) -> NDArray[np.float32]:
    """What a character of the basic plane speaks for its being in this encoding."""
    import numpy as np

    worth = np.zeros(1 << 16, dtype=np.float32)
    for characters, value in ((_in_common_use(name), ORDINARY), (_FREQUENT[name], 1.0)):
        worth[[ord(character) for character in characters]] = value
    return worth


def _in_common_use(name: str) -> str:
    """The characters of the first level of the national standard; empty where the letters themselves tell enough.

    GB 2312-80 rows 16 to 55 (3,755 characters); Big5 A440 to C67E (5,401).
    """
    if name == "gb18030":
        return _rows("gb2312", range(0xB0, 0xD8))
    return _rows("big5", range(0xA4, 0xC7)) if name == "big5hkscs" else ""


def _rows(name: str, leads: range) -> str:
    return b"".join(bytes((lead, trail)) for lead in leads for trail in range(0x40, 0xFF)).decode(name, "ignore")
