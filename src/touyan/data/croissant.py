"""The Croissant 1.1 record of a documents Asset: JSON-LD that other catalogues and loaders read.

Written by hand, since the reference library needs 370 MB and a second to import. Owns the mapping of Touyan's words to
schema.org, ODRL and PROV-O. Knows nothing about how the documents were read. Invariant: permissions are those of the Rights
record and no others; where a part of the rights is unknown the record prohibits use.

Sources: Croissant 1.1 (mlcommons.org/croissant/1.1), its RAI vocabulary 1.0, ODRL 2.2 (W3C 2018), PROV-O (W3C 2013).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from touyan.core.canonical import Json
from touyan.core.rights import ANYWHERE, Purpose, Rights, effective
from touyan.store.formats.documents import FOLDER

CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
FILE_SET = "document-shards"
RECORD_SET = "documents"
MEDIA_TYPE = "application/x-parquet"

_CROISSANT_TERMS = (
    "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileObject",
    "fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5",
    "parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator",
    "source", "subField", "transform",
)  # fmt: skip

CONTEXT: dict[str, Json] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "touyan": "urn:touyan:",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    **{term: f"cr:{term}" for term in _CROISSANT_TERMS},
}
"""The context of the specification's appendix 1, with ODRL, PROV and RAI beside it."""

ACTIONS: dict[Purpose, str] = {
    "refine": "odrl:modify",
    "annotate": "odrl:annotate",
    "train": "touyan:train",
    "evaluate": "touyan:evaluate",
    "serve": "odrl:present",
    "retrieve": "odrl:index",
    "redistribute": "odrl:distribute",
    "inspect": "odrl:read",
}
"""Purposes as ODRL actions; ODRL has none for training and evaluating models, ours are included in odrl:use."""

_DUTIES = {"attribution": "odrl:attribute", "share-alike": "http://creativecommons.org/ns#ShareAlike"}
_COLUMNS = {
    "doc_id": "Digest of source, natural key and version.",
    "natural_key": "The key that the source itself uses.",
    "version": "The source's own version, or the first 16 hex digits of the raw digest.",
    "raw_sha256": "Digest of the raw bytes.",
    "text": "Decoded text, otherwise unchanged.",
    "title": "Title where there is one.",
    "group": "Documents that stay on one side of a split.",
    "label": "Class label where there is one.",
    "meta": "JSON object of strings.",
    "rights": "Digest of the Rights record in force.",
}


@dataclass(frozen=True, slots=True)
class Dataset:
    """What the record says about a documents Asset."""

    provider: str
    name: str
    source_asset: str
    """Id of the source Asset that was read."""
    rights: Rights
    rights_sha256: str
    shards: Sequence[Path]
    documents: int
    unreadable: int
    published: str = ""
    """ISO date of the source's publication; Croissant requires it, so a record without one is only nearly valid."""


def croissant_record(dataset: Dataset) -> dict[str, Json]:
    """The JSON-LD object; free of floats and of times, so that it can be written as canonical JSON."""
    source = f"{dataset.provider}/{dataset.name}"
    description = f"{dataset.documents} documents of {source}; {dataset.unreadable} files or rows could not be read."
    record: dict[str, Json] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": dataset.name,
        "description": description,
        "url": f"urn:touyan:source:{source}",
        "license": _licence(dataset.rights),
        "citeAs": f"{dataset.provider}: {dataset.name}, version {dataset.source_asset[:12]}",
        "creator": {"@type": "sc:Organization", "name": dataset.provider},
        "version": f"1.0.0+{dataset.source_asset[:12]}",
        "usageInfo": usage_offer(source, dataset.rights, dataset.rights_sha256),
        "prov:wasDerivedFrom": {"@id": f"urn:touyan:asset:{dataset.source_asset}"},
        "prov:wasAttributedTo": {"@type": "prov:Agent", "prov:label": dataset.provider},
        "prov:wasGeneratedBy": {"@type": "prov:Activity", "prov:label": "touyan read"},
        "rai:personalSensitiveInformation": f"{dataset.rights.personal_state}; ground: {dataset.rights.personal}",
        "rai:dataPreprocessingProtocol": "Decoded to Unicode by a strict ladder of encodings; text otherwise unchanged.",
        "rai:dataUseCases": ", ".join(dataset.rights.purposes) or "none stated",
        "distribution": _distribution(dataset.shards),
        "recordSet": [_record_set()],
    }
    return record | ({"datePublished": dataset.published} if dataset.published else {})


def usage_offer(source: str, rights: Rights, rights_sha256: str) -> dict[str, Json]:
    """The rights as an ODRL Offer: a permission for each purpose, with duties and constraints, or a prohibition of use."""
    granted = effective(source, rights)
    offer: dict[str, Json] = {
        "@type": ["sc:CreativeWork", "odrl:Offer"],
        "name": "Conditions of use",
        "@id": f"urn:touyan:rights:{rights_sha256}",
    }
    if not granted.purposes:
        reasons = sorted({block.reason for block in granted.blocks if block.part != "purpose"}) or ["no purpose is permitted"]
        action: Json = {"@id": "odrl:use"}
        return offer | {
            "odrl:prohibition": {"@type": "odrl:Prohibition", "odrl:action": action, "description": "; ".join(reasons)}
        }
    duties = [
        {"@type": "odrl:Duty", "odrl:action": {"@id": _DUTIES.get(duty, f"touyan:duty:{duty}")}}
        for duty in sorted(granted.duties)
    ]
    shared: dict[str, Json] = {}
    if duties:
        shared["odrl:duty"] = duties
    if constraints := _constraints(rights):
        shared["odrl:constraint"] = constraints
    permissions = [
        {"@type": "odrl:Permission", "odrl:action": _action(purpose)} | shared
        for purpose in ACTIONS
        if purpose in granted.purposes
    ]
    return offer | {"odrl:permission": permissions}


def _action(purpose: Purpose) -> dict[str, Json]:
    action: dict[str, Json] = {"@id": ACTIONS[purpose]}
    return action if ACTIONS[purpose].startswith("odrl:") else action | {"odrl:includedIn": {"@id": "odrl:use"}}


def _constraints(rights: Rights) -> list[Json]:
    found: list[Json] = []
    if ANYWHERE not in rights.territory:
        found.append(_constraint("odrl:spatial", "odrl:isAnyOf", list(rights.territory)))
    if rights.expires:
        found.append(_constraint("odrl:dateTime", "odrl:lt", rights.expires))
    return found


def _constraint(left: str, operator: str, right: Json) -> dict[str, Json]:
    return {
        "@type": "odrl:Constraint",
        "odrl:leftOperand": {"@id": left},
        "odrl:operator": {"@id": operator},
        "odrl:rightOperand": right,
    }


def _licence(rights: Rights) -> str:
    """The SPDX address of a licence, or the ground on which no licence is needed, in words."""
    if rights.licence:
        return rights.licence if rights.licence.startswith("LicenseRef-") else f"https://spdx.org/licenses/{rights.licence}.html"
    return f"{rights.authority}: {rights.article or ', '.join(rights.evidence) or 'no evidence given'}"


def _distribution(shards: Sequence[Path]) -> list[Json]:
    files: list[Json] = [
        {
            "@type": "cr:FileObject",
            "@id": f"{FOLDER}/{shard.name}",
            "name": shard.name,
            "contentUrl": f"{FOLDER}/{shard.name}",
            "contentSize": f"{shard.stat().st_size} B",
            "encodingFormat": MEDIA_TYPE,
            "sha256": _sha256(shard),
        }
        for shard in shards
    ]
    shard_set: Json = {
        "@type": "cr:FileSet",
        "@id": FILE_SET,
        "name": FILE_SET,
        "encodingFormat": MEDIA_TYPE,
        "includes": f"{FOLDER}/*.parquet",
    }
    return [*files, shard_set]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _record_set() -> dict[str, Json]:
    fields: list[Json] = [
        {
            "@type": "cr:Field",
            "@id": f"{RECORD_SET}/{column}",
            "name": column,
            "description": meaning,
            "dataType": ["sc:Text", "cr:Label"] if column == "label" else "sc:Text",
            "source": {"fileSet": {"@id": FILE_SET}, "extract": {"column": column}},
        }
        for column, meaning in _COLUMNS.items()
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": RECORD_SET,
        "name": RECORD_SET,
        "key": {"@id": f"{RECORD_SET}/doc_id"},
        "field": fields,
    }
