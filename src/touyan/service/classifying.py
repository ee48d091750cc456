"""One request for labels: cleared, classified on the engine's thread, metered, kept.

A label is a judgement of a model and no generated content, so it carries no AIGC label; it names model and permit all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from touyan.core.errors import Broken, Invalid, Missing
from touyan.service.address import Opened
from touyan.service.answering import about_model, require_name
from touyan.service.door import Caller
from touyan.service.running import Running
from touyan.service.wire import Classification
from touyan.store.answers import Answer
from touyan.store.services import Use


async def classify(running: Running, caller: Caller, body: Classification) -> dict[str, Any]:
    """Labels with scores for each text, best first, each under an id of its own for feedback."""
    opened = await asyncio.to_thread(running.address.for_caller, caller.actor.party)
    require_name(running, opened, body.model)
    if "classify" not in opened.engine.tasks:
        raise Missing("cannot-classify", "the model that is served gives no labels", "use POST /v1/completions")
    if not 1 <= len(body.texts) <= running.settings.limits.texts:
        raise Invalid(
            "bad-input", f"{len(body.texts)} texts, 1 to {running.settings.limits.texts} are allowed", "send several requests"
        )
    scores = await _scores(opened, body.texts, running.settings.limits.request_s)
    answers = [_answer(running, opened, text, found) for text, found in zip(body.texts, scores, strict=True)]
    use = Use(running.name, opened.model, opened.cleared.permit, caller.key.id, 0, 0)
    await asyncio.wrap_future(running.ledger.write(caller.key, use, answers))
    data = [_item(i, a, found) for i, (a, found) in enumerate(zip(answers, scores, strict=True))]
    about = about_model(running, opened)
    return {"object": "list", "model": opened.model, "data": data, "touyan": about}


async def _scores(opened: Opened, texts: Sequence[str], limit_s: float) -> list[dict[str, float]]:
    try:
        return await asyncio.wait_for(asyncio.wrap_future(opened.batch.call(lambda engine: engine.classify(texts))), limit_s)
    except TimeoutError as error:
        raise Broken("timeout", f"the texts were not classified after {limit_s:g} s", "send fewer texts at once") from error


def _answer(running: Running, opened: Opened, text: str, scores: Mapping[str, float]) -> Answer:
    identifier = f"cls-{running.store.seam.token(16)}"
    return Answer(identifier, running.name, opened.model, opened.cleared.permit, text, _best(scores))


def _item(index: int, answer: Answer, scores: Mapping[str, float]) -> dict[str, Any]:
    ranked = sorted(scores.items(), key=lambda kv: (-kv[1], kv[0]))
    return {"object": "classification", "index": index, "id": answer.id, "label": answer.completion, "scores": dict(ranked)}


def _best(scores: Mapping[str, float]) -> str:
    return min(scores, key=lambda label: (-scores[label], label))
