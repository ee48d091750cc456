"""The step `tokenizer`: byte-level BPE trained on the train split of a corpus.

Owns the vocabulary and the files that say how text becomes ids. Knows nothing about models. Invariant: every text encodes,
`decode(encode(text))` is the text, and the same corpus gives the same bytes. Source: Sennrich et al. 2016; bytes as in GPT-2.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from touyan.core.errors import Invalid
from touyan.flow.step import InputSpec, StepSpec, Work
from touyan.model.articles import read_articles
from touyan.model.shape import write_json

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SPECIAL = {"pad": "<|pad|>", "bos": "<|bos|>", "eos": "<|end|>"}
"""Their ids are 0, 1, 2."""

BYTES = 256


@dataclass(frozen=True, slots=True)
class TokenizerParams:
    """How large a vocabulary."""

    vocabulary: int = 4096
    """With special tokens. On 3 M characters of law: 1.8 characters a token, and the best held-out figure of 2k, 4k and 8k."""
    min_count: int = 2
    """A pair seen less often is never merged."""
    most_characters: int = 1_000_000
    """Learned from documents evenly spaced up to this: a third of the laws gives 1.826 characters a token, all of them 1.831."""


def run(work: Work[TokenizerParams]) -> None:
    """Writes `tokenizer.json` and the files by which `transformers` finds the special tokens."""
    if work.params.vocabulary < BYTES + len(SPECIAL):
        raise Invalid(
            "vocabulary-size",
            f"vocabulary {work.params.vocabulary} cannot hold {BYTES} bytes and {len(SPECIAL)} special tokens",
            f"set vocabulary to {BYTES + len(SPECIAL)} or more",
        )
    os.environ.setdefault("RAYON_NUM_THREADS", str(max(1, work.threads)))  # read once, when the first tokenizer works
    articles = read_articles(work.one("corpus").path, "train")
    learned = spaced(articles.texts, work.params.most_characters)
    tokenizer = train_bpe(learned, work.params)
    write_tokenizer(tokenizer, work.out)
    sample = articles.texts[:: max(1, len(articles.texts) // 2000)]
    tokens = sum(len(encoding.ids) for encoding in tokenizer.encode_batch_fast(sample, add_special_tokens=False))
    facts = {
        "vocabulary": tokenizer.get_vocab_size(),
        "trained_documents": len(learned),
        "trained_characters": sum(map(len, learned)),
        "characters_per_token": round(sum(map(len, sample)) / max(tokens, 1), 4),
    }
    write_json(work.out / "summary.json", facts)
    work.count("trained_documents", len(learned))


def spaced(texts: list[str], most_characters: int) -> list[str]:
    """Every n-th of `texts`, with the smallest n that brings them near `most_characters`."""
    return texts[:: max(1, round(sum(map(len, texts)) / most_characters))]


def train_bpe(texts: list[str], params: TokenizerParams) -> Tokenizer:
    """A byte-level BPE with the special tokens first; encoding by default puts `<|bos|>` before a text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=params.vocabulary,
        min_frequency=params.min_count,
        special_tokens=list(SPECIAL.values()),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer, length=len(texts))
    bos = SPECIAL["bos"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A", pair=f"{bos} $A {bos} $B", special_tokens=[(bos, tokenizer.token_to_id(bos))]
    )
    return tokenizer


def write_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Writes the three files of the Hugging Face layout."""
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {f"{role}_token": token for role, token in SPECIAL.items()}
    write_json(folder / "special_tokens_map.json", names)
    config = {
        **names,
        "add_bos_token": True,
        "clean_up_tokenization_spaces": False,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    write_json(folder / "tokenizer_config.json", config)


STEP = StepSpec(
    name="tokenizer",
    version="2",
    output="tokenizer",
    inputs={"corpus": InputSpec("corpus", label="its train split is what the vocabulary is learned from")},
    params=TokenizerParams,
    purpose="train",
    run=run,
    summary="Learns a byte-level BPE vocabulary from the corpus.",
    extras=("train",),
)
