"""The flow file: every mistake is told with file, line and the nearest valid name, before anything runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flows import BASE, changed, complaint, flow_of
from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.core.canonical import canonical
from touyan.core.errors import Invalid
from touyan.core.job import Accelerator, Need
from touyan.core.names import nearest
from touyan.flow.file import purposes_needed, read_flow
from touyan.flow.params import to_canonical

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.parent.name)
def test_every_example_can_be_planned(path: Path) -> None:
    flow = read_flow(path)
    assert [s.name for s in flow.steps[: len(flow.file.sources)]] == [f"read/{name}" for name in flow.file.sources]
    for step in flow.steps:
        canonical(to_canonical(step.params))


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "words", "hint"),
    [
        ("review:", "reveiw:", 21, "reveiw", "is not a field here", "did you mean 'review'?"),
        ("  split:", "  splitt:", 14, "steps.splitt", "there is no step 'splitt'", "did you mean 'split'?"),
        ("ngram: {}", "ngram: {use: ngramm}", 18, "steps.ngram.use", "there is no step 'ngramm'", "did you mean 'ngram'?"),
        ("min_chars", "min_char", 13, "steps.refine.min_char", "no parameter 'min_char'", "did you mean 'min_chars'?"),
        ("pack: {}", "pack: {inputs: {corpuss: split}}", 16, "steps.pack.inputs.corpuss",
         "takes no input", "did you mean 'corpus'?"),
        ("authority: own-production", "authority: own-productoin", 7, "sources.papers.rights.authority", "is not known",
         "did you mean 'own-production'?"),
        ("security: general, ", "securty: general, ", 7, "sources.papers.rights.securty", "no field", "did you mean 'security'?"),
        ("purposes: [refine", "purposes: [refien", 7, "sources.papers.rights",
         "'refien' is no purpose", "did you mean 'refine'?"),
        ("kind: release", "kind: releas", 21, "review.kind", "'project', 'trial' or 'release'", "docs/formats/flow.md"),
        ("    provider: office\n    rights: {authority: unknown}", "    rights: {authority: unknown}", 8, "sources.letters",
         "'provider' is missing", "add `provider:`"),
        ("    path: letters\n", "    path: letters\n    options: {txt: body}\n", 10, "sources.letters.options.txt",
         "no parameter",
         "did you mean 'text'?"),
        ("    path: letters\n", "    path: letters\n    options: {source: x}\n", 10, "sources.letters.options.source",
         "follows from",
         "remove it"),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_its_line_and_the_nearest_name(
    tmp_path: Path, old: str, new: str, line: int, field: str, words: str, hint: str
) -> None:
    error = complaint(tmp_path, changed(old, new))
    assert error.message.startswith(f"flow.yaml:{line}: {field}: ")
    assert words in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("min_chars: 4", "min_chars: four", "min_chars"), ("min_chars: 4", 'min_chars: "4"', "min_chars"),
        ("min_chars: 4", "min_chars: 4.5", "min_chars"), ("min_chars: 4", "min_chars: true", "min_chars"),
        ("min_chars: 4", "min_chars:", "min_chars"), ("min_chars: 4", f"min_chars: {2**53}", "min_chars"),
        ("test_share: 0.2", "test_share: .inf", "test_share"), ("test_share: 0.2", "test_share: .nan", "test_share"),
        ("name: notes\ns", "name: 5\ns", "name"), ("name: notes\ns", "name:\ns", "name"),
        ("name: notes\ns", "name: ../notes\ns", "name"),
        ("name: notes\ns", "name: true\ns", "name"), ("days: 30", "days: '30'", "days"), ("days: 30", "days: true", "days"),
        ("days: 30", "days: 0", "days"), ("touyan: 1", "touyan: 2", "touyan"), ("touyan: 1", "touyan: '1'", "touyan"),
        ("roles: [data-reviewer]", "roles: []", "roles"), ("roles: [data-reviewer]", "roles: [a, a]", "roles"),
        ("roles: [data-reviewer]", "roles: data-reviewer", "roles"), ("service: {name: notes}", "service: {name: 头雁}", "name"),
        ("rights: {authority: unknown}", "rights: []", "rights"),
        ("rights: {authority: unknown}", "rights: {evidence: x}", "evidence"),
        ("rights: {authority: unknown}", "rights: {expires: 2027-13-45}", "expires"),
        ("rights: {authority: unknown}", "rights: {licence: 5}", "licence"),
        ("pack: {}", "pack: 5", "pack"), ("pack: {}", "pack: {need: {cpus: 0}}", "cpus"),
        ("pack: {}", "pack: {need: {cpuss: 1}}", "cpuss"),
        ("pack: {}", "pack: {need: {accelerators: [{modell: a800-80g}]}}", "modell"), ("pack: {}", "pack: {need: {nodes: 0}}", "nodes"),
        ("pack: {}", "pack: {need: {limit_s: .inf}}", "limit_s"), ("pack: {}", "pack: {need: {memory_gib: .nan}}", "memory_gib"),
        ("pack: {}", "pack: {need: {memory_gib: 1.0e+300}}", "memory_gib"), ("pack: {}", "pack: {need: {cpus: true}}", "cpus"),
        ("security: general}\n", "security: core}\n", "security"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_told_with_its_field(tmp_path: Path, old: str, new: str, field: str) -> None:
    error = complaint(tmp_path, changed(old, new))
    assert re.match(rf"flow\.yaml:\d+: [\w./-]*\b{field}\b", error.message), error.message


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("corpus: pack", "'pack' does not come before this one"),
        ("corpus: evaluate", "'evaluate' does not come before this one"),
        ("corpus: tokenizer", "makes a tokenizer, and a corpus is needed"),
        ("corpus: papers", "makes a documents, and a corpus is needed"),
        ("corpus: [split, split]", "takes one corpus, not 2"),
        ("corpus: []", "takes one corpus, not 0"),
        ("corpus: 5", "not 5"),
        ("corpus:", "not None"),
        ("corpus: ['']", "not \\['']"),
    ],
)
def test_a_wire_leads_forward_and_carries_the_kind_that_is_asked_for(tmp_path: Path, given: str, words: str) -> None:
    error = complaint(tmp_path, changed("pack: {}", f"pack:\n    inputs:\n      {given}"))
    assert re.search(words, error.message), error.message


def test_a_step_without_what_it_needs_is_told(tmp_path: Path) -> None:
    error = complaint(tmp_path, changed("  tokenizer: {vocabulary: 400}\n", ""))
    assert "pack needs a tokenizer as 'tokenizer', and no step before it makes one" in error.message


def test_a_source_is_read_by_itself(tmp_path: Path) -> None:
    error = complaint(tmp_path, changed("  split:", "  again: {use: read}\n  split:"))
    assert "options" in error.hint


def test_inputs_follow_from_the_order_unless_they_are_named(tmp_path: Path) -> None:
    text = changed(
        "  ngram: {}\n", "  short: {use: refine, min_chars: 2, inputs: {documents: papers}}\n  ngram: {inputs: {corpus: split}}\n"
    )
    steps = {s.name: s.inputs for s in flow_of(tmp_path, text).steps}
    assert steps["read/papers"] == {"source": ("papers",)}
    assert steps["refine"] == {"documents": ("read/papers", "read/letters")}
    assert steps["short"] == {"documents": ("read/papers",)}
    assert steps["ngram"]["corpus"] == ("split",)
    assert steps["pack"] == {"corpus": ("split",), "tokenizer": ("tokenizer",)}


def test_an_input_may_stand_beside_the_parameters(tmp_path: Path) -> None:
    beside = {s.name: s.inputs for s in flow_of(tmp_path, changed("tokens: 2000", "tokens: 2000, base: smollm2")).steps}["train"]
    below = {s.name: s.inputs for s in flow_of(tmp_path, changed("tokens: 2000", "tokens: 2000, inputs: {base: smollm2}")).steps}[
        "train"
    ]
    assert beside == below
    assert beside["base"] == ("smollm2",)


def test_a_need_is_rounded_up(tmp_path: Path) -> None:
    step = {
        s.name: s
        for s in flow_of(tmp_path, changed("pack: {}", "pack: {need: {cpus: 0.5, memory_gib: 0.5, limit_s: 1.2}}")).steps
    }["pack"]
    assert step.need == Need("ai", 1, 1, 1 << 29, 2)


def test_a_need_names_alternatives_and_what_is_not_said_is_the_steps_own(tmp_path: Path) -> None:
    need = "{nodes: 2, accelerators: [{model: a800-80g, count: 4}, {model: ascend-910b}]}"
    step = {s.name: s for s in flow_of(tmp_path, changed("pack: {}", f"pack: {{need: {need}}}")).steps}["pack"]
    assert (step.need.kind, step.need.gang, step.need.limit_s) == ("ai", 2, step.spec.limit_s)
    assert step.need.accelerators == (Accelerator("a800-80g", 4), Accelerator("ascend-910b", 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("roles: [data-reviewer]", "roles: [data-reviewer], reviewers: [bob]"),
        ("roles: [data-reviewer]", "roles: [data-reviewer], votes: [{party: bob, decision: approve}]"),
        ("roles: [data-reviewer]", "roles: [data-reviewer], state: approved"),
        ("roles: [data-reviewer]", "roles: [data-reviewer], quorum: 0"),
        ("days: 30", "days: 30, state: valid"), ("days: 30", "days: 30, key: 00ff"),
        ("days: 30", "days: 30, number: TY-2026-000001"),
        ("days: 30", "days: 30, demo: true"), ("service: {name: notes}", "service: {name: notes, permit: TY-2026-000001}"),
        ("name: notes\ns", "name: notes\napproved: true\ns"), ("name: notes\ns", "name: notes\nkeys: {bob: 00ff}\ns"),
        ("check: {rule_pack: demo}", "check: {rule_pack: demo, outcome: pass}"),
        ("provider: office\n    rights: {authority: unknown}",
         "provider: office\n    is_cleared: true\n    rights: {authority: unknown}"),
    ],
)  # fmt: skip
def test_a_flow_names_no_reviewer_no_key_and_no_decision(tmp_path: Path, old: str, new: str) -> None:
    error = complaint(tmp_path, changed(old, new))
    assert isinstance(error, Invalid)
    assert error.hint


@pytest.mark.parametrize(
    ("old", "words"),
    [
        ("review: {kind: release, roles: [data-reviewer]}\n", "the flow asks for none"),
        ("  check: {rule_pack: demo}\n", "needs a model and its checks"),
    ],
)
def test_what_could_never_be_decided_is_told_before_it_runs(tmp_path: Path, old: str, words: str) -> None:
    assert words in complaint(tmp_path, changed(old, "")).message


def test_a_service_needs_a_model(tmp_path: Path) -> None:
    text = BASE.partition("steps:")[0] + "service: {name: notes}\n"
    assert "no step makes a model to serve" in complaint(tmp_path, text).message
    error = complaint(tmp_path, changed("service: {name: notes}", "service: {name: notes, model: trian}"))
    assert nearest("trian", ["train"]) in error.hint


def test_the_purposes_follow_from_the_steps(tmp_path: Path) -> None:
    assert purposes_needed(flow_of(tmp_path)) == ["refine", "train", "evaluate", "serve"]
    assert purposes_needed(flow_of(tmp_path, BASE.partition("  split:")[0])) == ["refine"]


LINES = BASE.splitlines()
WORDS = st.sampled_from(
    [
        "1",
        "~",
        "true",
        ".nan",
        "[]",
        "{}",
        "[refine]",
        "x",
        "'",
        "2026-01-01",
        "-1",
        "1e400",
        "{use: read}",
        "{a: {b: 1}}",
        "\t",
        "!!set {a}",
    ]
)
SLIPS = st.tuples(st.integers(0, len(LINES) - 1), st.sampled_from(["drop", "twice", "value", "indent", "cut"]), WORDS)


def _slip(lines: list[str], slip: tuple[int, str, str]) -> list[str]:
    """`lines` with one of them lost, doubled, cut, moved or given another value."""
    n, kind, word = slip
    at = n % max(1, len(lines))
    line = lines[at]
    put = {
        "drop": [],
        "twice": [line, line],
        "value": [line.partition(":")[0] + ": " + word],
        "indent": [" " + line],
        "cut": [line[: len(line) // 2]],
    }
    return [*lines[:at], *put[kind], *lines[at + 1 :]]


@settings(max_examples=60)
@given(st.lists(SLIPS, min_size=1, max_size=3))
def test_any_slip_gives_a_flow_or_an_error_that_says_where(
    tmp_path_factory: pytest.TempPathFactory, slips: list[tuple[int, str, str]]
) -> None:
    folder, lines = tmp_path_factory.getbasetemp() / "fuzz-flow", LINES
    folder.mkdir(exist_ok=True)
    for slip in slips:
        lines = _slip(lines, slip)
    try:
        found = [canonical(to_canonical(s.params)) for s in flow_of(folder, "\n".join(lines)).steps]
    except Invalid as error:
        found = re.findall(r"flow\.yaml:\d+: .*", error.message) if error.hint else []
    assert found
