"""Language: what stays is running text in a language of the recipe."""

from __future__ import annotations

import pytest
from corpora import STATUTE, batch

from touyan.core.document import apply, edits_of
from touyan.corpus.quality.alphabets import Script
from touyan.corpus.quality.language import Language
from touyan.corpus.quality.tongue import name_of

ENGLISH = "The court held that the contract was void, because neither of the parties had signed it in the presence of a witness. "
JAPANESE = "昨日の午後、駅前の広場で子どもたちが楽しそうに遊んでいました。天気もよく、多くの人が集まりました。"
MENU = "首页\n新闻\n关于我们\n联系我们\n加入收藏\n网站地图\n"
CANTONESE = "你话点解佢成日都唔开心？我谂系因为工作太辛苦，冇时间陪屋企人，不如我哋约佢出嚟饮茶啦。"


def reason(text: str, *keep: str) -> str | None:
    found = Language(keep=keep or ("zh",)).judge(batch(text)).verdicts.get(0)
    return found and found.reason


@pytest.mark.parametrize(
    "text",
    [
        STATUTE, CANTONESE, "今天天气很好，我们去公园。", "今天天氣很好我們去公園玩", "重庆火锅の味道",
        "iPhone 15 Pro Max 手机壳", "Python 3.11 教程入门",
        "学而时习之，不亦说乎？有朋自远方来，不亦乐乎？", "1. 北京 Beijing\n2. 上海 Shanghai\n", "OK", "12345 67890 13800", "",
        STATUTE * 3 + "\n" + ENGLISH * 5, "\n".join(["我爱你 I love you very much", "再见 good bye my friend"] * 5),
        "若 $\\overrightarrow{a} \\cdot \\overrightarrow{b} = \\frac{1}{2}$，求 $\\mathrm{cos}$ 的值",
    ],
)  # fmt: skip
def test_chinese_stays_in_any_form_and_company(text: str) -> None:
    assert reason(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The weather.", None), ("The weather is fine today.", "en"), (ENGLISH * 3, "en"), (MENU + ENGLISH * 10, "en"),
        ("今日は天気がいいですね。", "ja"), (JAPANESE * 3, "ja"), ("首頁\n会社案内\n" + JAPANESE * 3, "ja"), ("東京都知事選挙候補駅", "ja"),
        ("오늘 날씨가 좋습니다 정말로.", "ko"), ("Привет, как дела сегодня?", "cyrillic"),
        ("Il fait beau aujourd'hui.", "latin"), ("བོད་ཡིག་གི་ཡི་གེ་ཡིན།", "bo"), ("ئۇيغۇر تىلى ئۇيغۇرلارنىڭ تىلى", "ug"),
        ("ᠮᠣᠩᠭᠣᠯ ᠬᠡᠯᠡ ᠪᠢᠴᠢᠭ", "mn"), ("ꆈꌠꁱꂷꆈꌠꉙꆈꌠꁱꂷ", "ii"), ("สวัสดีครับ วันนี้อากาศดี", "th"),
        ("def f(x):\n    y = x + 1\n    return y\nprint(f(2));\n", "code"),
    ],
)  # fmt: skip
def test_other_languages_leave_and_are_named(text: str, code: str | None) -> None:
    assert reason(text) == (code and f"language-{code}")


def test_statistics_tell_languages_of_one_script_where_some_of_them_are_kept() -> None:
    french, russian = "Il fait beau aujourd'hui, et nous allons au parc avec les enfants.", "Привет, как дела сегодня?"
    assert [reason(text, "zh", "en") for text in (french, russian)] == ["language-fr", "language-ru"]
    assert [reason(text, "zh", "fr", "ru") for text in (french, russian)] == [None, None]


def test_the_languages_to_keep_are_a_list() -> None:
    assert reason(ENGLISH, "zh", "en") is None
    assert reason(STATUTE * 3, "en") == "language-zh"
    assert reason("ئۇيغۇر تىلى ئۇيغۇرلارنىڭ تىلى", "zh", "ug") is None
    assert reason(JAPANESE, "zh", "en") == "language-ja"


@pytest.mark.parametrize(
    ("text", "code"), [(CANTONESE, "yue"), ("子曰：学而时习之，不亦说乎？人不知而不愠，不亦君子乎？", "lzh"), (STATUTE, "zh")]
)
def test_forms_of_chinese_have_codes_of_their_own_and_all_belong_to_zh(text: str, code: str) -> None:
    assert name_of(Script.HAN, text) == code
    assert Language().keeps(code)
    assert not Language(keep=("en",)).keeps(code)


def test_a_long_passage_in_another_language_is_marked_and_may_be_cut() -> None:
    text = f"{STATUTE}\n{ENGLISH * 3}\n{STATUTE * 3}"
    (span,) = Language().judge(batch(text)).spans[0]
    assert (text[span.start : span.end].strip(), span.label, span.reason) == ((ENGLISH * 3).strip(), "foreign-language", "en")
    assert span.replacement is None
    spans = Language(cut=True).judge(batch(text)).spans[0]
    assert apply(text, edits_of(spans)) == f"{STATUTE}\n{STATUTE * 3}"


def test_a_verdict_is_scored_by_the_share_that_is_kept() -> None:
    verdict = Language().judge(batch(ENGLISH * 9 + "\n" + STATUTE)).verdicts[0]
    assert verdict.score == pytest.approx(0.16, abs=0.02)
