from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from touyan.core.canonical import canonical, parse
from touyan.core.rights import PURPOSES, Rights
from touyan.data.croissant import ACTIONS, CONFORMS_TO, Dataset, croissant_record, usage_offer
from touyan.store.formats.documents import DocumentRow, DocumentWriter, documents_schema

CLEARED = Rights(
    authority="open-licence", licence="CC-BY-SA-4.0", personal="none", personal_state="none", security="public",
    purposes=("train", "evaluate"), territory=("CN",), expires="2030-01-01", evidence=("https://example.org/licence",),
)  # fmt: skip


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    with DocumentWriter(tmp_path) as writer:
        writer.add(DocumentRow("d" * 64, "acme/notes", "1", "1", "0" * 64, "正文", None, None, None, "{}", "r"))
    return Dataset("acme", "notes", "5" * 64, CLEARED, "a" * 64, writer.paths, 1, 0, published="2026-01-31")


def record(dataset: Dataset) -> dict[str, Any]:
    return json.loads(canonical(croissant_record(dataset)))


def test_it_has_what_croissant_requires(dataset: Dataset) -> None:
    made = record(dataset)
    required = {
        "@context",
        "@type",
        "conformsTo",
        "description",
        "license",
        "name",
        "url",
        "creator",
        "datePublished",
        "distribution",
    }
    assert required <= set(made)
    assert made["@type"] == "sc:Dataset"
    assert made["conformsTo"] == list(CONFORMS_TO)
    assert made["license"] == "https://spdx.org/licenses/CC-BY-SA-4.0.html"
    assert "datePublished" not in record(replace(dataset, published=""))


def test_every_file_is_named_with_its_digest_and_size(dataset: Dataset, tmp_path: Path) -> None:
    files = [entry for entry in record(dataset)["distribution"] if entry["@type"] == "cr:FileObject"]
    for file in files:
        data = (tmp_path / file["contentUrl"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(data).hexdigest()
        assert file["contentSize"] == f"{len(data)} B"
    assert len(files) == len(dataset.shards)


def test_every_field_is_a_column_of_the_table_and_every_reference_leads_somewhere(dataset: Dataset) -> None:
    made = record(dataset)
    (records,) = made["recordSet"]
    columns = [field["source"]["extract"]["column"] for field in records["field"]]
    assert set(columns) <= set(documents_schema().names)
    assert "text" in columns
    ids = {entry["@id"] for entry in made["distribution"]} | {field["@id"] for field in records["field"]}
    assert records["key"]["@id"] in ids
    assert {field["source"]["fileSet"]["@id"] for field in records["field"]} <= ids


def test_every_prefix_that_is_used_is_declared(dataset: Dataset) -> None:
    made = record(dataset)
    declared = set(made["@context"])

    def names(value: object) -> set[str]:
        if isinstance(value, dict):
            return {key for key in value if not key.startswith("@")} | {n for item in value.values() for n in names(item)}
        return {n for item in value for n in names(item)} if isinstance(value, list) else set()

    used = {
        name.partition(":")[0] for key, value in made.items() if key != "@context" for name in names({key: value}) if ":" in name
    }
    assert used <= declared


def test_permissions_carry_their_duties_and_limits(dataset: Dataset) -> None:
    permissions = record(dataset)["usageInfo"]["odrl:permission"]
    assert [p["odrl:action"]["@id"] for p in permissions] == ["touyan:train", "touyan:evaluate"]
    for permission in permissions:
        assert [duty["odrl:action"]["@id"] for duty in permission["odrl:duty"]] == [
            "odrl:attribute", "http://creativecommons.org/ns#ShareAlike",
        ]  # fmt: skip
        limits = {c["odrl:leftOperand"]["@id"]: c["odrl:rightOperand"] for c in permission["odrl:constraint"]}
        assert limits == {"odrl:spatial": ["CN"], "odrl:dateTime": "2030-01-01"}


@pytest.mark.parametrize("rights", [Rights(), replace(CLEARED, personal="unknown"), replace(CLEARED, purposes=())])
def test_unknown_rights_prohibit_use_and_say_why(rights: Rights) -> None:
    offer = usage_offer("acme/notes", rights, "a" * 64)
    assert "odrl:permission" not in offer
    prohibition = offer["odrl:prohibition"]
    assert isinstance(prohibition, dict)
    assert prohibition["odrl:action"] == {"@id": "odrl:use"}
    assert prohibition["description"]


def test_every_purpose_has_an_action() -> None:
    assert set(ACTIONS) == set(PURPOSES)


def test_it_is_the_same_every_time_and_free_of_floats(dataset: Dataset) -> None:
    assert parse(canonical(croissant_record(dataset))) == parse(canonical(croissant_record(dataset)))


@pytest.mark.slow
def test_the_reference_library_accepts_and_reads_it(dataset: Dataset, tmp_path: Path) -> None:
    mlcroissant = pytest.importorskip("mlcroissant", reason="not installed: pip install mlcroissant")
    (tmp_path / "croissant.json").write_bytes(canonical(croissant_record(dataset)))
    loaded = mlcroissant.Dataset(jsonld=str(tmp_path / "croissant.json"))
    assert loaded.metadata.ctx.issues.errors == set()
    (first,) = loaded.records("documents")
    assert first["documents/text"].decode() == "正文"
