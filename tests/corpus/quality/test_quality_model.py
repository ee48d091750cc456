"""The quality model: learning, keeping, scoring, and the default weights."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from corpora import STATUTE, batch

from touyan.core.errors import Conflict, Invalid, Missing
from touyan.corpus.operator import Signature
from touyan.corpus.quality.junk import KINDS, _pitch, junk
from touyan.corpus.quality.model import Model, sample
from touyan.corpus.quality.packs import SHIPPED
from touyan.corpus.quality.train import evaluate, main, relined, train
from touyan.corpus.quality.worth import Quality

GOOD = [
    f"第{n}天，我们沿着河走，{what}，傍晚才回到镇上吃饭。"
    for n in range(1, 21)
    for what in ("看见了白鹭", "遇到一场小雨", "谈起了从前")
]
BAD = junk(120, seed=3)


@pytest.fixture(scope="module")
def model() -> Model:
    return train(GOOD, BAD, about={"name": "trial"})


def test_a_model_tells_what_it_was_taught_to_tell(model: Model) -> None:
    found = evaluate(model, ["第三十天，我们沿着山路走，遇到了采药的老人，傍晚才回来。"], junk(40, seed=4), threshold=0.3)
    assert (found.auc, found.good_lost, found.bad) == (1, 0, 40)
    assert found.bad_dropped > 0.8


def test_the_same_examples_give_the_same_model(model: Model) -> None:
    again = train(GOOD, BAD)
    assert (again.weights == model.weights).all()
    assert (again.scale, again.bias) == (model.scale, model.bias)


def test_a_model_comes_back_from_its_file_as_it_was(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "trial.weights")
    again = Model.load(tmp_path / "trial.weights")
    assert (again.weights == model.weights).all()
    assert (again.scale, again.bias, again.about) == (model.scale, model.bias, {"name": "trial"})


@pytest.mark.parametrize("body", [b"", b"{}\n", b"not json\nxx", b'{"format": "touyan-quality/1"}\nxx', b"[]\n"])
def test_another_file_is_no_model(body: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.weights").write_bytes(body)
    with pytest.raises(Invalid, match="no weights"):
        Model.load(tmp_path / "x.weights")


def test_a_score_does_not_depend_on_the_company(model: Model) -> None:
    texts = [STATUTE, "短", *BAD[:5], "", "e\u0301" * 60]
    together = model.scores(texts).tolist()
    assert together == [model.scores([text]).item() for text in texts]
    assert together[-2] == 0.5


def test_a_long_text_is_judged_by_its_beginning_middle_and_end() -> None:
    assert sample("短") == "短"
    text = "甲" * 1000 + "乙" * 1000 + "丙" * 1000
    assert set(sample(text)) == {"甲", "乙", "丙", "\n"}
    assert len(sample(text)) < 400


def test_examples_of_both_kinds_are_needed() -> None:
    with pytest.raises(Invalid, match="good and bad"):
        train(["好"], [])


def test_the_calibration_error_of_a_model_that_knows_nothing_is_its_distance_from_the_truth() -> None:
    nothing = Model(np.zeros(1 << 18, dtype=np.int8), 1.0, 0.0)
    found = evaluate(nothing, ["好"] * 30, ["坏"] * 10)
    assert (found.auc, found.calibration_error) == (0.5, 0.25)


def test_the_command_learns_from_two_files_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import orjson

    for name, texts in (("good", GOOD), ("bad", BAD)):
        (tmp_path / f"{name}.jsonl").write_bytes(b"\n".join(orjson.dumps({"text": text}) for text in texts))
    main([str(tmp_path / "good.jsonl"), str(tmp_path / "bad.jsonl"), str(tmp_path / "own.weights")])
    assert "auc" in capsys.readouterr().out
    own = Quality(model=str(tmp_path / "own.weights"))
    assert own.judge(batch(GOOD[0] * 3)).verdicts == {}


def test_a_line_without_text_is_invalid_and_named(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"text": "好"}\n{"words": "坏"}\n')
    with pytest.raises(Invalid, match="line 2"):
        main([str(tmp_path / "bad.jsonl"), str(tmp_path / "bad.jsonl"), str(tmp_path / "x.weights")])


@pytest.mark.parametrize("kind", dict.fromkeys(KINDS), ids=lambda kind: kind.__name__.strip("_"))
def test_the_default_model_drops_most_of_every_kind_of_junk(kind: object) -> None:
    made = [text for n, text in enumerate(junk(400, seed=11)) if KINDS[n % len(KINDS)] is kind]
    dropped = Quality().judge(batch(*made)).verdicts
    # Sales talk in whole sentences is the hardest: the lexicon is there for it.
    assert len(dropped) > (0.6 if kind is _pitch else 0.8) * len([text for text in made if len(text) >= 40])


def test_the_default_model_keeps_text_in_which_nothing_is_wrong() -> None:
    kept = [
        STATUTE, "一只狗叼着骨头过桥，看见水里也有一只狗，便张口去抢，结果自己的骨头掉进了河里，什么也没有得到。",
        "患者应当卧床休息，多喝温水，体温超过三十八度五时可以服用退烧药，三天不退要到医院复查。",
        "这家面馆开在巷子深处，老板娘记得每个熟客的口味：谁不吃香菜，谁要多放辣子，她从来不会弄错。",
        "解：设甲、乙两地相距 x 千米，根据题意得 x/60 - x/80 = 1，解得 x = 240。答：两地相距 240 千米。",
        "The old man put down his newspaper and looked out of the window, where the first snow of the year was falling on the roofs.",
    ]  # fmt: skip
    assert Quality().judge(batch(*kept)).verdicts == {}


def test_documents_between_two_thresholds_are_flagged() -> None:
    verdict = Quality(min_score=0, flag_below=1).judge(batch(STATUTE)).verdicts[0]
    assert (verdict.outcome, verdict.reason) == ("flag", "doubtful-quality")
    assert verdict.score == pytest.approx(1, abs=0.2)


def test_another_model_gives_another_signature_and_may_be_pinned(tmp_path: Path) -> None:
    (tmp_path / "copy.weights").write_bytes((SHIPPED / "quality-zh.weights").read_bytes())
    assert Quality(model=str(tmp_path / "copy.weights")).digest == Quality().digest
    assert Signature.of(Quality()).parameters != Signature.of(Quality(min_score=0.3)).parameters
    with pytest.raises(Conflict, match="digest"):
        Quality(digest="0" * 16)
    with pytest.raises(Missing, match="quality-zz") as error:
        Quality(model="quality-zz")
    assert "quality-zh" in error.value.hint


def test_relining_changes_nothing_but_white_space() -> None:
    text = "\n".join(["春天来了，花都开了。" * 5, "夏天也快到了。" * 9])
    for seed in range(9):
        assert "".join(relined(text, random.Random(seed)).split()) == "".join(text.split())
