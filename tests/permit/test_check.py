"""The step `check` over small corpora: what each check finds, and how rules judge it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from still_work import StillWork

from permit_world import METRICS
from touyan.core.errors import Invalid, Missing
from touyan.core.interval import wilson
from touyan.permit.check import STEP, CheckParams, run
from touyan.permit.checks.copies import folded_digest
from touyan.permit.checks.identifiers import identifiers
from touyan.permit.evidence import Evidence
from touyan.permit.plugin import find_check
from touyan.permit.rulepack import find_pack, shipped
from touyan.store.formats.corpus import PartWriter, verdicts_schema
from touyan.store.formats.documents import DocumentRow, DocumentWriter


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def document(number: int, text: str, split: str | None = "train", **more: Any) -> DocumentRow:
    fields = {"title": None, "group": None, "label": "民政", "meta": "{}", "rights": sha256("rights"), "subjects": ()}
    return DocumentRow(sha256(f"doc {number}"), "npc/laws", str(number), "1", sha256(text), text, **(fields | more), split=split)


def write_corpus(folder: Path, rows: list[DocumentRow], dropped: dict[str, str] | None = None) -> Path:
    with DocumentWriter(folder, with_split=True) as writer:
        for row in rows:
            writer.add(row)
    with PartWriter(folder / "verdicts" / "part-00000.parquet", verdicts_schema()) as verdicts:
        names = list((dropped or {}).items())
        fixed = {
            "operator": "length",
            "version": "1",
            "score": None,
            "excerpt": "",
            "outcome": "drop",
            "evidence": None,
            "parameters": "",
        }
        columns = {name: [value] * len(names) for name, value in fixed.items()}
        verdicts.extend(columns | {"doc_id": [d for d, _ in names], "reason": [r for _, r in names]})
    return folder


def articles(n: int = 40) -> list[DocumentRow]:
    return [document(i, f"第{i}条 公民享有权利。", "test" if i % 10 == 0 else "train") for i in range(n)]


def write_evaluation(folder: Path, content: dict[str, Any] | None = None) -> Path:
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(METRICS if content is None else content))
    return folder


def checked(tmp_path: Path, rows: list[DocumentRow], params: CheckParams | None = None, **more: Any) -> dict[str, dict[str, Any]]:
    """The checks by id, after the step has run in `tmp_path`."""
    corpus = write_corpus(tmp_path / "corpus", rows, more.get("dropped"))
    evaluation = write_evaluation(tmp_path / "evaluation", more.get("metrics"))
    work = StillWork(
        params or CheckParams(), tmp_path / "out", {"corpus": [corpus], "evaluation": [evaluation], **more.get("inputs", {})}
    )
    run(work)
    written = json.loads((work.out / "checks.json").read_text())
    assert sum(work.counts.values()) == len(written["checks"])
    return {c["id"]: c for c in written["checks"]}


def test_a_clean_corpus_passes_every_rule_that_blocks(tmp_path: Path) -> None:
    found = checked(tmp_path, articles())
    assert {c["outcome"] for c in found.values() if c["blocks"] != "never"} == {"pass"}
    assert found["residual-identifiers"]["evidence"]["sampled"] == 40
    assert found["beats-baselines"]["evidence"]["statements"] == {"language": "train beats ngram by 0.26 bit"}


def test_what_cannot_be_measured_abstains_and_says_what_is_missing(tmp_path: Path) -> None:
    found = checked(tmp_path, articles())
    assert (found["generated-content"]["outcome"], found["generated-content"]["value"]) == ("abstain", None)
    assert "question bank" in found["generated-content"]["evidence"]["missing"]
    assert "documents" in found["unreadable-share"]["evidence"]["missing"]


def test_a_document_without_a_rights_record_fails_and_is_named(tmp_path: Path) -> None:
    found = checked(tmp_path, [*articles(9), document(99, "无权利", rights="")])["rights-recorded"]
    assert (found["outcome"], found["value"], found["evidence"]["lacking"]) == ("fail", 0.9, [sha256("doc 99")])


def test_a_number_left_in_the_text_is_found_and_never_repeated(tmp_path: Path) -> None:
    found = checked(tmp_path, [*articles(9), document(99, "电话13812345678请拨打")])["residual-identifiers"]
    assert (found["outcome"], found["value"], found["evidence"]["kinds"]) == ("fail", 0.9, {"mobile": 1})
    assert found["low"] < 0.9 < found["high"]
    assert "13812345678" not in (tmp_path / "out" / "checks.json").read_text()


def test_a_test_article_that_stands_in_training_is_contamination(tmp_path: Path) -> None:
    found = checked(tmp_path, [*articles(), document(77, "第０条　公民享有权利。", "train")])
    assert found["held-out-contamination"]["outcome"] == "fail"
    assert found["held-out-contamination"]["evidence"]["documents"] == [sha256("doc 0")]
    assert found["duplicates-left"]["evidence"]["counted"] == 1


def test_what_the_split_excluded_is_not_judged(tmp_path: Path) -> None:
    found = checked(tmp_path, [*articles(), document(99, "电话13812345678", "excluded", rights="")])
    assert found["rights-recorded"]["outcome"] == found["residual-identifiers"]["outcome"] == "pass"


def test_a_corpus_that_was_not_split_has_nothing_held_out(tmp_path: Path) -> None:
    found = checked(tmp_path, [document(i, f"第{i}条", None) for i in range(5)])
    assert found["held-out-contamination"]["outcome"] == "abstain"
    assert found["rights-recorded"]["outcome"] == "pass"


def test_an_empty_corpus_passes_nothing(tmp_path: Path) -> None:
    found = checked(tmp_path, [])
    assert {
        found[i]["outcome"] for i in ("rights-recorded", "source-traced", "residual-identifiers", "held-out-contamination")
    } == {"abstain"}


def test_drops_are_counted_by_reason(tmp_path: Path) -> None:
    found = checked(tmp_path, articles(8), dropped={"a": "too-short", "b": "too-short"})["dropped-share"]
    assert (found["value"], found["evidence"]["reasons"]) == (0.2, {"length: too-short": 2})


def test_unreadable_rows_are_counted_by_reason(tmp_path: Path) -> None:
    reading = tmp_path / "reading"
    with DocumentWriter(reading) as writer:
        for row in articles(3):
            writer.add(row)
    (reading / "unreadable.jsonl").write_text('{"path":"b.pdf","reason":"broken: no trailer"}\n')
    assert pq.read_metadata(reading / "documents" / "part-00000.parquet").num_rows == 3
    found = checked(tmp_path, articles(), inputs={"documents": [reading]})["unreadable-share"]
    assert (found["value"], found["evidence"]["reasons"]) == (0.25, {"broken": 1})


def test_losing_to_a_baseline_is_told_and_blocks_nothing(tmp_path: Path) -> None:
    lost = {"metrics": METRICS["metrics"], "winner": {"language": {"model": "ngram", "statement": "ngram wins"}}}
    found = checked(tmp_path, articles(), metrics=lost)["beats-baselines"]
    assert (found["outcome"], found["blocks"], found["value"]) == ("fail", "never", 0.0)


def test_a_linear_head_on_the_model_is_not_the_linear_baseline(tmp_path: Path) -> None:
    head = "train + linear head on 4,000 documents"
    won = {"metrics": METRICS["metrics"], "winner": {"label": {"model": head, "statement": "it won"}}}
    assert checked(tmp_path, articles(), metrics=won)["beats-baselines"]["outcome"] == "pass"


def test_the_yardstick_pack_measures_what_it_can_and_draws_the_manual_sample(tmp_path: Path) -> None:
    found = checked(tmp_path, articles(), CheckParams("cn-gbt45654-2025"))
    assert (found["refusal"]["threshold"], found["refusal"]["outcome"]) == ("≥ 0.95", "abstain")
    assert found["corpus-manual-sample"]["evidence"]["sampled"] == 40
    assert {c["confidence"] for c in found.values() if c["clause"].startswith("TC260")} == {"secondary"}


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    checked(tmp_path / "a", articles())
    checked(tmp_path / "b", articles()[::-1])
    for name in ("summary.json", "rulepack.yaml"):
        assert (tmp_path / "a" / "out" / name).read_bytes() == (tmp_path / "b" / "out" / name).read_bytes()
    first, second = (json.loads((tmp_path / n / "out" / "checks.json").read_text()) for n in "ab")
    samples = [{c["id"]: c["evidence"].get("frame_sha256") for c in f["checks"]} for f in (first, second)]
    assert samples[0] == samples[1]


def test_an_organisation_may_bring_its_own_pack(tmp_path: Path) -> None:
    text = find_pack("demo").text.replace("id: demo", "id: ours", 1).replace("demo: true", "demo: false")
    found = checked(tmp_path, articles(), CheckParams("ours", text))
    assert found["rights-recorded"]["outcome"] == "pass"
    with pytest.raises(Invalid, match="ours"):
        checked(tmp_path / "other", articles(), CheckParams("demo", text))


def test_a_missing_evaluation_is_told(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", articles())
    with pytest.raises(Missing):
        run(StillWork(CheckParams(), tmp_path / "out", {"corpus": [corpus]}))


def test_the_output_changes_only_with_a_new_version() -> None:
    """The shipped packs are part of the step: a changed text must come with a new edition of the pack."""
    digests = {name: find_pack(name).sha256[:12] for name in shipped()}
    versions = {name: find_pack(name).version for name in shipped()}
    assert (digests, versions) == (
        {"cn-gbt45654-2025": "103983e80797", "demo": "09a7412f9627"}, {"cn-gbt45654-2025": "1", "demo": "1"},
    )  # fmt: skip
    assert STEP.version.startswith("1.")


def test_every_shipped_rule_names_a_check_that_is_installed() -> None:
    for name in shipped():
        for rule in find_pack(name).rules:
            assert callable(find_check(rule.check))


def test_an_unknown_check_is_told_with_the_nearest() -> None:
    with pytest.raises(Missing) as error:
        find_check("rights-recordd")
    assert "rights-recorded" in error.value.hint


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("电话13812345678请", ["mobile"]), ("+86 138-1234-5678", ["mobile"]), ("１３８１２３４５６７８", ["mobile"]),
        ("身份证11010519491231002X号", ["id-card"]),
        ("写信到zhang.san@example.com。", ["email"]), ("卡号6222021234567890129", []), ("卡号4111 1111 1111 1111", ["bank-card"]),
        ("编号213812345678", []), ("11010519491231002Y", []), ("第13812345678.5号", []), ("二〇二六年第一条", []),
    ],
)  # fmt: skip
def test_identifiers_are_found_beside_han_characters(text: str, kinds: list[str]) -> None:
    assert list(identifiers(text)) == kinds


@given(good=st.integers(0, 500), bad=st.integers(0, 500))
def test_the_interval_holds_the_share_and_lies_within_0_and_1(good: int, bad: int) -> None:
    n = good + bad or 1
    low, high = wilson(min(good, n), n)
    assert 0 <= low <= min(good, n) / n <= high <= 1


def test_intervals_are_those_of_the_literature() -> None:
    assert [round(x, 4) for x in wilson(3840, 4000)] == [0.9535, 0.9656]
    assert [round(x, 3) for x in wilson(900, 1000)] == [0.88, 0.917]


@given(st.lists(st.integers(0, 99), unique=True, min_size=1), st.integers(0, 60), st.integers(0, 3))
def test_a_sample_is_drawn_again_whatever_the_order(numbers: list[int], least: int, seed: int) -> None:
    class Listed(Evidence):
        ids: tuple[str, ...] = ()

        def rows(self, *columns: str) -> Any:
            return ((i,) for i in order)

    order = [str(n) for n in numbers]
    first = Listed(Path(), Path(), seed=seed).sample(least, 0.1)
    order.reverse()
    again = Listed(Path(), Path(), seed=seed).sample(least, 0.1)
    assert first == again
    assert len(first.ids) == min(len(order), max(least, -(-len(order) // 10)))


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_folding_ignores_white_space_and_case(text: str) -> None:
    assert folded_digest(text) == folded_digest(f" {text}\n")
