"""Feedback enters a flow as further sources, and a flow without any stays as it is."""

from __future__ import annotations

import json
from pathlib import Path

from flows import flow_of

from touyan.core.rights import Rights, rights_from_json
from touyan.flow.feedback import with_feedback

RIGHTS = Rights(authority="user-consent", evidence=("terms 3",), security="general")


def test_without_feedback_the_flow_is_the_same(tmp_path: Path) -> None:
    flow = flow_of(tmp_path)
    assert with_feedback(flow, {}) is flow


def test_feedback_is_read_beside_the_sources(tmp_path: Path) -> None:
    flow = flow_of(tmp_path)
    whole = with_feedback(flow, {"feedback-1": ("users/feedback", RIGHTS), "feedback-2": ("users/feedback", RIGHTS)})
    names = [s.name for s in whole.steps]
    assert names[:5] == ["read/papers", "read/letters", "read/feedback-1", "read/feedback-2", "refine"]
    refine = whole.steps[4]
    assert refine.inputs["documents"] == ("read/papers", "read/letters", "read/feedback-1", "read/feedback-2")
    assert [s.name for s in whole.steps[5:]] == [s.name for s in flow.steps[3:]]
    assert whole.steps[5].inputs == flow.steps[3].inputs


def test_its_rights_and_subjects_go_with_every_document(tmp_path: Path) -> None:
    reading = with_feedback(flow_of(tmp_path), {"feedback-1": ("users/feedback", RIGHTS)}).steps[2]
    assert rights_from_json(json.loads(reading.params.rights_record)) == RIGHTS
    assert (reading.inputs, reading.params.provider, reading.params.subject) == (
        {"source": ("feedback-1",)},
        "users/feedback",
        "subject",
    )
