"""Which language a passage of one script is in: by its letters where they give it away, by lingua's statistics where not.

Owns the samples, the languages asked about and what counts as program code. Knows nothing about documents and what is kept.
Invariant: at most SAMPLE_CHARS of a passage are looked at, so that a name costs the same however long the passage is.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from touyan.core.errors import missing_extra
from touyan.corpus.quality.alphabets import LANGUAGES, Script

if TYPE_CHECKING:
    from lingua import LanguageDetector

SAMPLE_CHARS = 384
"""lingua named 183 of 187 pieces of English documentation rightly from this much, 176 from half of it, in 0.7 ms each."""
CODE, UNKNOWN = "code", "und"

_ASKED = (
    "ar", "bg", "cs", "de", "en", "es", "fa", "fr", "hi", "id", "it", "kk", "mn", "nl", "pl", "pt", "ru", "sv", "tr", "uk", "ur",
    "vi",
)  # fmt: skip
_CODE_LINE = re.compile(
    r"^(?:.*[;{}]|\s*[\w.\[\]]+\s*[-+*/]?=\s*\S.*|\s*</?\w[^>]*>.*|\s*(?://|#include|/\*).*"
    r"|\s*(?:def|class|import|from|return|public|private|static|const|let|var|function|if|for|while|SELECT)\b.*[(:;{=).*]"
    r"|\s*(?:import|from) [\w.]+.*)\s*$",
    re.MULTILINE,
)
KNOWN_WITHOUT = frozenset({"zh", "yue", "lzh", "ug", CODE, *LANGUAGES.values()})
"""Languages that never need statistics to be told."""
_ENGLISH = re.compile(r"\b(?:the|and|to|of|that|for|with|this|be|are|by|from|not|it|you|if|or|will|which)\b", re.IGNORECASE)
"""One word in four of running English, one in fifty of its neighbours: most foreign pages need no statistics."""
_UYGHUR = re.compile("[\u06ad\u06be\u06c6-\u06c8\u06cb\u06d0\u06d5]")
"""Letters that Uyghur writes all the time and Arabic, Persian and Urdu seldom: ڭ ھ ۆ ۇ ۈ ۋ ې ە."""
_HAMZA = "\u0674"
"""The high hamza, which Kazakh in Arabic script writes before its front vowels."""
_CANTONESE = re.compile("[嘅咗唔佢哋啲喺嚟冇嗰噉咁啱嘢瞓攞]")
_CLASSICAL = re.compile("[之乎者也矣焉哉曰兮耳]|[何莫孰]不|是以|於是|[，。]夫|未嘗|未尝")
_MODERN = re.compile("[的了们們这這那是在把被]")


def name_of(script: Script, passage: str, *, by_statistics: bool = True) -> str:
    """ISO 639 code of a passage that is mostly of `script`; 'code' for programs and 'und' for what nothing speaks for.

    Traditional and simplified Chinese are both 'zh', Cantonese 'yue' and classical Chinese 'lzh'. Without statistics what is
    left to them has the name of its script. Raises Missing where they are asked for and lingua is not installed.
    """
    middle = max(0, len(passage) - SAMPLE_CHARS) // 2
    sample = passage[middle : middle + SAMPLE_CHARS]
    if script is Script.HAN:
        return _of_han(sample)
    if script is Script.ARABIC and len(_UYGHUR.findall(sample)) * 20 > len(sample):
        return "kk" if _HAMZA in sample else "ug"
    if script in LANGUAGES:
        return LANGUAGES[script]
    if _is_code(sample):
        return CODE
    if len(_ENGLISH.findall(sample)) * 8 > len(sample.split()):
        return "en"
    return _by_statistics(sample) if by_statistics else script.name.lower()


def _of_han(sample: str) -> str:
    """Shares per character, from which each kind is several times farther than the others."""
    n = len(sample)
    if len(_CANTONESE.findall(sample)) * 50 > n:
        return "yue"
    is_classical = len(_CLASSICAL.findall(sample)) * 25 > n and len(_MODERN.findall(sample)) * 50 < n
    return "lzh" if is_classical else "ja" if _is_kanji(sample) else "zh"


def has_kanji(text: str) -> bool:
    """Whether an ideograph stands in it that only Japan writes."""
    return not _national_forms()[0].isdisjoint(text)


def _is_kanji(sample: str) -> bool:
    """Whether text without kana is Japanese all the same: it has forms of Japan alone and none of the Chinese reform."""
    japanese, simplified = _national_forms()
    return has_kanji(sample) and sum(c in japanese for c in sample) * 20 > len(sample) and simplified.isdisjoint(sample)


@cache
def _national_forms() -> tuple[frozenset[str], frozenset[str]]:
    """Ideographs of JIS X 0208 that neither GB 2312 nor Big5 has (気 図 駅), and those that GB 2312 alone has (气 图 驿)."""
    standards = {name: _ideographs(name) for name in ("shift_jis", "gb2312", "big5")}
    japan, china, taiwan = standards.values()
    return japan - china - taiwan, china - japan - taiwan


def _ideographs(standard: str) -> frozenset[str]:
    return frozenset("".join(map(chr, range(0x4E00, 0x9FA6))).encode(standard, "ignore").decode(standard))


def _is_code(sample: str) -> bool:
    # The first and the last line of a sample are cut anywhere.
    lines = [line for line in sample.split("\n")[1:-1] or [sample] if line.strip()]
    return len(lines) > 2 and sum(map(bool, map(_CODE_LINE.match, lines))) * 2 > len(lines)


def _by_statistics(sample: str) -> str:
    found = _detector().detect_language_of(sample)
    return found.iso_code_639_1.name.lower() if found else UNKNOWN


@cache
def _detector() -> LanguageDetector:
    """lingua over trigrams alone: 50 MB of models, loaded at the first question in half a CPU second."""
    try:
        from lingua import IsoCode639_1, LanguageDetectorBuilder
    except ImportError as error:
        raise missing_extra("lingua-language-detector", "refinery") from error
    codes = [getattr(IsoCode639_1, code.upper()) for code in _ASKED]
    return LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_low_accuracy_mode().build()
