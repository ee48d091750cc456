"""Settings of a driver, as the owner writes them under `driver` in `site.yaml`.

Owns how a mapping becomes a frozen dataclass whose field names and types are the documentation. Knows nothing of any engine.
Invariant: a field that is not known is refused, with the nearest that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar, cast

from touyan.core.errors import Invalid
from touyan.core.names import nearest

T = TypeVar("T")


def read_settings(kind: type[T], given: Mapping[str, object]) -> T:
    """The settings as `kind`, a dataclass. Raises Invalid (`bad-driver-settings`), naming the field."""
    from pydantic import TypeAdapter, ValidationError

    known = [f.name for f in fields(cast(Any, kind))]
    for name in given:
        if name not in known:
            raise Invalid("bad-driver-settings", f"driver.{name} is not a setting of this driver", nearest(name, known))
    try:
        return TypeAdapter(kind).validate_python(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(["driver", *(str(p) for p in first["loc"])])
        raise Invalid("bad-driver-settings", f"{place}: {first['msg']}", "correct it in site.yaml") from error
