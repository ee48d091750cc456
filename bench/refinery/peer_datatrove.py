"""The pipeline of datatrove that is nearest to the recipe, run with datatrove's own Python: `SHARDS OUT WORKERS LID_MODEL`.

ftfy, language, Gopher repetition and quality, MinHash of 14 x 8 on 5-grams, e-mail and IP masking. Three things keep 0.10.1 from
running on Chinese as its documentation has it: the language model would be downloaded, a tokenizer that was used once cannot be
copied to the next executor, and its words are counted with English lengths and stop words.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter, LanguageFilter
from datatrove.pipeline.formatters import FTFYFormatter, PIIFormatter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils import lid
from datatrove.utils.word_tokenizers import load_word_tokenizer

LANGUAGE, TASKS, BANDS, ROWS, GRAM = "cmn", 4, 14, 8, 5
STOP_WORDS = ["的", "了", "和", "是", "在", "有", "对", "为", "不", "我"]


def main(shards: Path, out: Path, workers: int, model: str) -> None:
    lid.cached_asset_path_or_download = lambda *_, **__: model
    config = MinhashConfig(n_grams=GRAM, num_buckets=BANDS, hashes_per_bucket=ROWS)
    quality = GopherQualityFilter(
        language=LANGUAGE, min_avg_word_length=1, max_avg_word_length=10, stop_words=STOP_WORDS, max_non_alpha_words_ratio=0.6
    )

    def execute(name: str, steps: Sequence[Any], tasks: int = TASKS) -> None:
        load_word_tokenizer.cache_clear()
        for step in steps:
            if hasattr(step, "word_tokenizer"):
                step.word_tokenizer = load_word_tokenizer(LANGUAGE)
        logs = str(out / "logs" / name)
        # Forked, because the replaced model path would be lost in a server process.
        LocalPipelineExecutor(pipeline=list(steps), tasks=tasks, workers=workers, logging_dir=logs, start_method="fork").run()

    clean, signatures, buckets, gone = (str(out / name) for name in ("clean", "signatures", "buckets", "gone"))
    filters = [FTFYFormatter(), LanguageFilter("zh", language_threshold=0.5), GopherRepetitionFilter(language=LANGUAGE), quality]
    execute("clean", [JsonlReader(str(shards)), *filters, JsonlWriter(clean, compression=None)])
    execute("signatures", [JsonlReader(clean), MinhashDedupSignature(signatures, config=config, language=LANGUAGE)])
    execute("buckets", [MinhashDedupBuckets(signatures, buckets, config=config)], BANDS)
    execute("clusters", [MinhashDedupCluster(buckets, gone, config=config)], 1)
    final = JsonlWriter(str(out / "final"), compression=None)
    execute("filter", [JsonlReader(clean), MinhashDedupFilter(gone), PIIFormatter(), final])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
