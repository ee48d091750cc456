"""What every engine promises, and that what is served is what was trained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from model_world import asset, bare_work, sentences

from touyan.core.errors import Broken, Invalid, Missing
from touyan.flow.backend import Engine, Sampling, Sequence
from touyan.model.backend import LINEAR, LLAMA, NGRAM
from touyan.model.linear import LinearParams
from touyan.model.linear import run as fit_linear
from touyan.model.ngram import NgramParams
from touyan.model.ngram import run as count_ngrams

GREEDY = Sampling()


@pytest.fixture(scope="module")
def ngram(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Path:
    work = bare_work(tmp_path_factory.mktemp("ngram"), NgramParams(order=4), corpus=asset("corpus", corpus))
    count_ngrams(work)
    return work.out


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Path:
    work = bare_work(tmp_path_factory.mktemp("linear"), LinearParams(), corpus=asset("corpus", corpus))
    fit_linear(work)
    return work.out


@pytest.fixture(params=["llama", "ngram"])
def engine(request: pytest.FixtureRequest, decoder: Path, ngram: Path) -> Engine:
    return LLAMA.open(decoder, threads=1) if request.param == "llama" else NGRAM.open(ngram)


@pytest.fixture
def llama(decoder: Path) -> Engine:
    return LLAMA.open(decoder, threads=1)


def drain(engine: Engine, sequences: list[Sequence]) -> Iterator[list[int | None]]:
    while any(one.finish is None for one in sequences):
        yield engine.step([one for one in sequences if one.finish is None])


def generate(engine: Engine, prompt: str, sampling: Sampling = GREEDY, most: int = 20) -> list[int]:
    one = engine.start(engine.tokenizer.encode(prompt), sampling, most)
    for _ in drain(engine, [one]):
        pass
    return one.tokens


def test_text_survives_the_tokenizer(engine: Engine) -> None:
    text = "船长应当依照本法的规定办理船舶的登记。"
    assert engine.tokenizer.decode(engine.tokenizer.encode(text)) == text


def test_a_text_cannot_spell_a_special_token(llama: Engine) -> None:
    assert 2 not in llama.tokenizer.encode("<|end|>")


def test_streamed_tokens_are_the_tokens_of_the_sequence(engine: Engine) -> None:
    one = engine.start(engine.tokenizer.encode("纳税人"), GREEDY, 30)
    streamed = [token for (token,) in drain(engine, [one]) if token is not None]
    assert streamed == one.tokens
    assert one.finish == ("length" if len(streamed) == 30 else "stop")


def test_sequences_that_join_and_leave_do_not_disturb_each_other(engine: Engine) -> None:
    prompts = ["纳税人", "船长对", "学校应当依照本法的规定", "违反", "第9条"]
    samplings = [Sampling(temperature=0.8, top_p=0.9, seed=seed) if seed % 2 else GREEDY for seed in range(5)]
    alone = [
        generate(engine, prompt, sampling, 8 + 5 * i) for i, (prompt, sampling) in enumerate(zip(prompts, samplings, strict=True))
    ]
    waiting = [
        engine.start(engine.tokenizer.encode(p), s, 8 + 5 * i) for i, (p, s) in enumerate(zip(prompts, samplings, strict=True))
    ]
    everyone, running = list(waiting), []
    while waiting or running:
        running += [waiting.pop(0)] if waiting else []
        engine.step(running[::-1])
        running = [one for one in running if one.finish is None]
    assert [one.tokens for one in everyone] == alone


def test_an_abandoned_sequence_leaves_room_for_the_others(llama: Engine) -> None:
    expected = generate(llama, "学生对教师")
    left, kept = (llama.start(llama.tokenizer.encode(text), GREEDY, 20) for text in ("船舶", "学生对教师"))
    llama.step([left, kept])
    llama.end(left)
    llama.end(left)
    for _ in drain(llama, [kept]):
        pass
    assert kept.tokens == expected


def test_a_seed_repeats_its_answer_and_another_differs(engine: Engine) -> None:
    hot = [generate(engine, "第1条", Sampling(temperature=2.0, seed=seed), 40) for seed in (5, 5, 6)]
    assert hot[0] == hot[1] != hot[2]


@pytest.mark.parametrize("change", [{"top_p": 0.0}, {"top_p": 1.5}, {"temperature": -1.0}, {"top_k": -1}])
def test_impossible_sampling_is_refused(engine: Engine, change: dict[str, float]) -> None:
    with pytest.raises(Invalid):
        engine.start([1, 5], Sampling(**change), 5)  # type: ignore[arg-type]


def test_a_prompt_beyond_the_context_is_refused(llama: Engine) -> None:
    with pytest.raises(Invalid, match="context"):
        llama.start([1] * llama.context_tokens, GREEDY, 5)


def test_an_answer_ends_where_the_context_does(llama: Engine) -> None:
    one = llama.start([1] * (llama.context_tokens - 3), Sampling(temperature=50.0, seed=3), 100)
    for _ in drain(llama, [one]):
        pass
    assert len(one.tokens) <= 3


def test_greedy_answers_equal_those_of_transformers(decoder: Path, llama: Engine) -> None:
    from transformers import AutoModelForCausalLM

    theirs = AutoModelForCausalLM.from_pretrained(decoder, dtype=torch.float32)
    for prompt in ("纳税人应当", "第3条", "船"):
        ids = torch.tensor([llama.tokenizer.encode(prompt)])
        answer = theirs.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=24, do_sample=False)[
            0, ids.shape[1] :
        ].tolist()
        assert generate(llama, prompt, most=24) == [token for token in answer if token != 2]


def test_scores_are_the_probabilities_of_generation(engine: Engine) -> None:
    """The bits of a text equal those of its halves chained, so the score is that of one proper distribution."""
    whole, again = engine.score(["学校对学生负有保密义务，不得泄露。"] * 2)
    assert whole == pytest.approx(again, rel=1e-5)
    assert whole > 0


def test_a_score_does_not_depend_on_its_batch(engine: Engine) -> None:
    texts = [text for text, _, _ in sentences(12, seed=9)] + ["", "㐀"]
    together = engine.score(texts)
    assert together == pytest.approx([engine.score([text])[0] for text in texts], rel=1e-4)


def test_scores_in_bfloat16_are_near_those_in_float32(decoder: Path) -> None:
    engine, texts = LLAMA.open(decoder, threads=1), [text for text, _, _ in sentences(3)]
    exact = engine.score(texts)
    engine.compute_in_bfloat16()
    assert engine.score(texts) == pytest.approx(exact, rel=0.01)


def test_a_text_beyond_the_context_is_scored_whole(llama: Engine) -> None:
    unit = "船长应当依照本法的规定办理船舶的登记。"
    short, long = llama.score([unit * 2, unit * 20])
    assert long > short


def test_probabilities_of_the_ngram_sum_to_one(ngram: Path) -> None:
    import numpy as np

    from touyan.model.ngram import load_ngram

    model, alphabet = load_ngram(ngram)
    for context in ("", "纳", "纳税人", "㐀税"):
        numbers = np.array([1, *alphabet.encode(context)][-3:], np.int64)
        assert model.next_probabilities(numbers).sum() == pytest.approx(1.0, abs=1e-6)


def test_the_ngram_scores_as_it_generates(ngram: Path) -> None:
    import numpy as np

    from touyan.model.ngram import load_ngram

    model, alphabet = load_ngram(ngram)
    stream = alphabet.stream(["学校对学生负有保密义务。"])
    scored = model.probabilities(stream.symbols, stream.begins)
    for place in range(1, len(stream.symbols)):
        following = model.next_probabilities(stream.symbols[max(0, place - 3) : place])
        assert following[stream.symbols[place]] == pytest.approx(scored[place], rel=1e-6)
        assert np.isfinite(following).all()


def test_the_linear_model_knows_the_label_of_its_own_words(linear: Path) -> None:
    scores = LINEAR.open(linear).classify(["承运人和船长", "教师和学生"])
    assert [max(one, key=lambda label: one[label]) for one in scores] == ["海商法", "教育法"]
    assert all(sum(one.values()) == pytest.approx(1.0) for one in scores)


def test_the_linear_model_is_read_back_as_it_was_fitted(linear: Path, corpus: Path) -> None:
    import numpy as np

    from touyan.model.articles import read_articles
    from touyan.model.linear import fit, load_linear

    train = read_articles(corpus, "train")
    loaded = load_linear(linear)
    weights, bias, labels = fit(loaded.features.transform(train.texts), [str(label) for label in train.labels], 1.0, 0)
    assert tuple(labels) == loaded.labels
    np.testing.assert_array_equal(loaded.weights, weights)
    np.testing.assert_array_equal(loaded.bias, bias)


def test_the_linear_features_equal_those_of_scikit_learn(corpus: Path) -> None:
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    from touyan.model.tfidf import TfIdf, choose_features

    texts = [text for text, _, _ in sentences(40)]
    names, idf = choose_features(texts, 3, 2, 10_000)
    theirs = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True).fit(texts)
    ours = TfIdf({name: i for i, name in enumerate(names)}, idf, 3).transform(texts[:5]).toarray()
    columns = [list(theirs.get_feature_names_out()).index(name) for name in names if name.lower() == name]
    np.testing.assert_allclose(ours, theirs.transform(texts[:5]).toarray()[:, columns], atol=1e-6)


@pytest.mark.parametrize("folder", ["decoder", "ngram", "linear"])
def test_an_engine_refuses_the_other_task(request: pytest.FixtureRequest, folder: str) -> None:
    backend = {"decoder": LLAMA, "ngram": NGRAM, "linear": LINEAR}[folder]
    engine = backend.open(request.getfixturevalue(folder))
    with pytest.raises(Missing):
        engine.score(["x"]) if folder == "linear" else engine.classify(["x"])


@pytest.mark.parametrize("folder", ["ngram", "linear"])
def test_a_damaged_baseline_says_so(request: pytest.FixtureRequest, tmp_path: Path, folder: str) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(request.getfixturevalue(folder), copy)
    (copy / f"{folder}.safetensors").write_bytes(b"torn")
    with pytest.raises(Broken):
        {"ngram": NGRAM, "linear": LINEAR}[folder].open(copy)
