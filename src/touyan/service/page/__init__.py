"""The page at `/`: one static file, with a policy that lets it run its own script and talk to its own address only."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path


@cache
def text() -> str:
    """The page."""
    return (Path(__file__).parent / "index.html").read_text(encoding="utf-8")


@cache
def headers() -> dict[str, str]:
    """Its headers: the content security policy names the digests of the inline script and style (W3C CSP level 3)."""
    script, style = (_digests(tag) for tag in ("script", "style"))
    nothing = "; ".join(f"{kind} 'none'" for kind in ("default-src", "base-uri", "form-action", "frame-ancestors"))
    policy = f"{nothing}; script-src {script}; style-src {style}; connect-src 'self'; img-src data:"
    return {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
    }


def _digests(tag: str) -> str:
    blocks = re.findall(rf"<{tag}>(.*?)</{tag}>", text(), re.DOTALL)
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(b.encode()).digest()).decode()}'" for b in blocks)
