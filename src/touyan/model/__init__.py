"""Train: tokenizer, decoder, LoRA, baselines, evaluation, and the engines that answer with them.

The steps are in `tokenizer`, `train`, `ngram`, `linear` and `evaluate`; none of them loads torch before it runs.
"""
