"""The recipe of Data-Juicer that is nearest to ours, run with Data-Juicer's own Python: `SHARDS OUT WORKERS LID_MODEL`.

ftfy, language, length, alphanumeric, special characters and repetition filters, traditional to simplified, MinHash of 14 x 8 on
5-grams, masking of personal information. The language model is laid into its cache, so that nothing is downloaded.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path


def main(shards: Path, out: Path, workers: int, model: str) -> None:
    models, final = out / "models", out / "final"
    models.mkdir(parents=True)
    final.mkdir()
    shutil.copy(model, models / "lid.176.bin")
    os.environ |= {"DATA_JUICER_MODELS_CACHE": str(models), "HF_DATASETS_CACHE": str(out / "datasets")}
    from data_juicer.config import init_configs
    from data_juicer.core import DefaultExecutor

    minhash = {"tokenization": "character", "window_size": 5, "num_permutations": 112, "num_bands": 14, "num_rows_per_band": 8}
    config = {
        "project_name": "bench", "dataset_path": str(shards), "export_path": str(final / "final.jsonl"), "work_dir": str(out),
        "np": workers, "open_tracer": False, "open_monitor": False, "use_cache": False, "skip_op_error": False,
        "process": [
            {"fix_unicode_mapper": {}},
            {"chinese_convert_mapper": {"mode": "t2s"}},
            {"language_id_score_filter": {"lang": "zh", "min_score": 0.5}},
            {"text_length_filter": {"min_len": 100}},
            {"alphanumeric_filter": {"min_ratio": 0.4}},
            {"special_characters_filter": {"max_ratio": 0.35}},
            {"character_repetition_filter": {"rep_len": 10, "max_ratio": 0.3}},
            {"document_minhash_deduplicator": minhash},
            {"pii_redaction_mapper": {}},
        ],
    }  # fmt: skip
    path = out / "recipe.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
    DefaultExecutor(init_configs(["--config", str(path)])).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
