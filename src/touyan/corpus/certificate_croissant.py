"""`croissant.json` of a release: the record of what was read, with the released shards and the measurements of the certificate.

Owns what a release changes in that record. Knows nothing about rights: they stand as the record of the source has them.
Invariant: every file is named with its bytes and digest; every measurement of the certificate is in it, and no other.

Sources: Croissant 1.1 (mlcommons.org/croissant/1.1); Data Quality Vocabulary (W3C Note, 2016).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from touyan.corpus.certificate import Certificate, Dimension
from touyan.corpus.certificate_sample import sha256_of
from touyan.corpus.certificate_terms import TERMS
from touyan.store.formats.documents import FOLDER, document_shards

CROISSANT = "croissant.json"
DQV = "http://www.w3.org/ns/dqv#"
MEDIA_TYPE = "application/x-parquet"


def released_record(source: Mapping[str, Any], corpus: Path, certificate: Certificate) -> dict[str, Any]:
    """The JSON-LD object of the corpus in the folder `corpus`, made from the record `source` of the documents that were read."""
    (file_set,) = (each for each in source["distribution"] if each["@type"] == "cr:FileSet")
    folder = f"{corpus.name}/{FOLDER}"
    files = [_file(shard, folder) for shard in document_shards(corpus)]
    return {
        **source,
        "@context": {**source["@context"], "dqv": DQV},
        "description": f"{certificate.documents} documents refined from {source['name']} by the recipe {certificate.recipe}.",
        "version": f"1.0.0+{certificate.frame_digest[:12]}",
        "prov:wasGeneratedBy": {"@type": "prov:Activity", "prov:label": "touyan refine"},
        "rai:personalSensitiveInformation": _personal(certificate.dimensions),
        "rai:dataPreprocessingProtocol": f"Touyan recipe {certificate.recipe}; every edit and drop is in the tables beside the shards.",
        "distribution": [*files, {**file_set, "includes": f"{folder}/*.parquet"}],
        "dqv:hasQualityMeasurement": [_measurement(each) for each in certificate.dimensions],
    }


def _file(shard: Path, folder: str) -> dict[str, Any]:
    path = f"{folder}/{shard.name}"
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": shard.name,
        "contentUrl": path,
        "contentSize": f"{shard.stat().st_size} B",
        "encodingFormat": MEDIA_TYPE,
        "sha256": sha256_of(shard),
    }


def _measurement(dimension: Dimension) -> dict[str, Any]:
    said = dimension.json()
    interval = "" if dimension.low is None else f" (95 % interval {dimension.low} to {dimension.high})"
    return {
        "@type": "dqv:QualityMeasurement",
        "dqv:isMeasurementOf": {"@id": f"touyan:quality:{dimension.key}"},
        "dqv:value": dimension.value,
        "description": f"{said['name']}: {dimension.value}{interval}, n = {dimension.n}, {dimension.judge}; {said['method']}",
    }


def _personal(dimensions: Sequence[Dimension]) -> str:
    (found,) = (each for each in dimensions if each.key == "personal-information")
    method = TERMS[found.key].by_people if found.judge == "human" else TERMS[found.key].method
    interval = "" if found.low is None else f", 95 % interval {found.low} to {found.high}"
    return f"{method[0] if method else ''}: {found.value}{interval}; n = {found.n}"
