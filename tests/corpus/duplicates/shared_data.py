"""Where data too large for the checkout lie; tests that need them are skipped where they are not."""

from __future__ import annotations

import os
from pathlib import Path

SHARED = Path(os.environ.get("TOUYAN_SHARED_DATA", Path(__file__).parents[4] / "shared/data"))
