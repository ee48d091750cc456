"""What one Attempt costs: from how long it ran on how many devices, and on whose terms, to the lines of the ledger.

Owns the arithmetic, in integers throughout. Knows nothing of databases and clocks. Invariant: the lines follow from the facts
alone, which are written beside them; whoever has the facts computes the same lines, on any day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from touyan.compute.ledger.transfer import Kind, Transfer, Unit, held, issued_by, lent_by, used_by, voucher
from touyan.compute.rates.table import RateTable, Sheet
from touyan.compute.resources import Offer
from touyan.core.canonical import Json, parse

CORE_PPM = 256
"""One core in FP32 at 2.5 GHz, two AVX2 FMA units: 2 x 8 x 2 x 2.5 G = 0.08 TFLOPS, of the reference's 312 in BF16."""
CORE_W = 8
"""A 64-core server with its memory draws about 500 W."""
UNLISTED_W = 700
"""Only to bound what is measured on a device without a sheet."""
MOST_OF_SHEET = 3
"""A site's watt-hours are believed up to so many times the sheets': hosts, fans and switches draw too, but not tenfold."""
PPM = 1_000_000
HOUR_MS = 3_600_000
UYUAN = 1_000_000
"""Prices are in millionths of a yuan, so that a core at 0.003 yuan an hour has one."""
UYUAN_PER_FEN = 10_000

Fault: TypeAlias = Literal["none", "party", "site"]
"""Why an Attempt made nothing. What the site broke is not charged; what the payload did by itself is."""
Energy: TypeAlias = Literal["measured", "sheet", "unknown"]


@dataclass(frozen=True, slots=True)
class Terms:
    """On what a site's owner lends one kind of device. FREE counts and costs nothing."""

    uyuan_per_device_hour: int = 0
    uyuan_per_core_hour: int = 0
    needs_voucher: bool = False

    @property
    def is_free(self) -> bool:
        return not (self.uyuan_per_device_hour or self.uyuan_per_core_hour or self.needs_voucher)


FREE = Terms()


@dataclass(frozen=True, slots=True)
class Usage:
    """What an Attempt used."""

    attempt: str
    token: int
    site: str
    owner: str
    """The Party whose machines the site has."""
    elapsed_ms: int
    limit_ms: int
    """What its Job may take; what runs beyond is the site's loss."""
    model: str = ""
    """Exact model of its devices; empty where it had none."""
    devices: int = 0
    cores: int = 0
    energy_wh: int | None = None
    """As the site measured it, believed up to MOST_OF_SHEET times the sheets; None: by the sheets."""
    fault: Fault = "none"
    revision: int = 0
    """Counts up when an Attempt is charged anew after a reversal."""

    @property
    def key(self) -> str:
        """Under which this is charged, once: the Attempt and its fencing token."""
        return f"{self.attempt}/{self.token}" + (f"/{self.revision}" if self.revision else "")


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the lines of a settled Attempt follow from. They are the `facts` of its first line."""

    attempt: str
    token: int
    party: str
    site: str
    owner: str
    elapsed_ms: int
    limit_ms: int
    model: str
    devices: int
    rate_ppm: int
    """Millionths of the reference model; 0 where the rate table does not list the model."""
    cores: int
    core_ppm: int
    energy: Energy
    energy_wh: int
    uyuan_per_device_hour: int
    uyuan_per_core_hour: int
    fault: Fault
    voucher: str = ""
    unit: Unit = "device_ms"
    """Of the voucher."""
    held: int = 0

    def to_json(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in self.__slots__}  # asdict copies deeply: half of what a charge cost

    @property
    def charged_ms(self) -> int:
        return 0 if self.fault == "site" else min(self.elapsed_ms, self.limit_ms)

    @property
    def device_ms(self) -> int:
        return _rounded(self.charged_ms * (self.devices * self.rate_ppm + self.cores * self.core_ppm), PPM)

    @property
    def fen(self) -> int:
        uyuan_an_hour = self.devices * self.uyuan_per_device_hour + self.cores * self.uyuan_per_core_hour
        return _rounded(self.charged_ms * uyuan_an_hour, HOUR_MS * UYUAN_PER_FEN)


def terms_of(offer: Offer, model: str) -> Terms:
    """What an owner asks for a device of this model, or for cores alone."""
    yuan = offer.yuan_per_device_hour.get(model, 0.0)
    return Terms(round(yuan * UYUAN), round(offer.yuan_per_cpu_hour * UYUAN), offer.needs_voucher)


def facts_of(party: str, usage: Usage, terms: Terms, rates: RateTable) -> Facts:
    """What holds for an Attempt of `party`, before a voucher pays."""
    sheet = rates.find(usage.model) if usage.model else None
    rate_ppm = round(PPM * sheet.bf16_tflops / rates.reference.bf16_tflops) if sheet else 0
    energy, energy_wh = _energy(usage, sheet)
    return Facts(
        usage.attempt, usage.token, party, usage.site, usage.owner, usage.elapsed_ms, usage.limit_ms,
        sheet.model if sheet else usage.model, usage.devices, rate_ppm, usage.cores, CORE_PPM, energy, energy_wh,
        terms.uyuan_per_device_hour, terms.uyuan_per_core_hour, usage.fault,
    )  # fmt: skip


def _energy(usage: Usage, sheet: Sheet | None) -> tuple[Energy, int]:
    """Watt-hours as measured, where they can be believed; else by the sheets; of a device without a sheet nothing is known."""
    watts = usage.cores * CORE_W + usage.devices * round(sheet.power_w if sheet else UNLISTED_W)
    by_sheet = _rounded(min(usage.elapsed_ms, usage.limit_ms) * watts, HOUR_MS)
    if usage.energy_wh is not None and usage.energy_wh <= MOST_OF_SHEET * by_sheet + 1:
        return "measured", usage.energy_wh
    return ("unknown", 0) if usage.devices and sheet is None else ("sheet", by_sheet)


def lines(facts: Facts) -> list[Transfer]:
    """The lines of a settled Attempt. The first is always there, with the amount 0 where nothing is owed: it holds the key."""
    found = [line for line in _lines(facts) if line.amount]
    return found or [Transfer(used_by(facts.party), lent_by(facts.owner), "device_ms", 0)]


def _lines(facts: Facts) -> Iterator[Transfer]:
    """What the voucher pays comes first; the Party owes the rest. A voucher of device time pays the money of that time too."""
    lender, owing, hold = lent_by(facts.owner), used_by(facts.party), held(facts.voucher)
    device_ms, fen = facts.device_ms, facts.fen
    paid_ms = min(device_ms, facts.held) if facts.unit == "device_ms" else 0
    if paid_ms:
        fen = _rounded(fen * (device_ms - paid_ms), device_ms)
    paid_fen = min(fen, facts.held) if facts.unit == "fen" else 0
    yield Transfer(hold, lender, "device_ms", paid_ms)
    yield Transfer(owing, lender, "device_ms", device_ms - paid_ms)
    yield Transfer(hold, lender, "fen", paid_fen)
    yield Transfer(owing, lender, "fen", fen - paid_fen)
    yield Transfer(owing, lender, "wh", facts.energy_wh if facts.charged_ms else 0)
    yield Transfer(hold, voucher(facts.voucher), facts.unit, facts.held - paid_ms - paid_fen)


def movement(kind: Kind, facts: Mapping[str, Json]) -> Transfer:
    """The line of a voucher that is granted, held, released or expires."""
    name, issuer = str(facts["voucher"]), issued_by(str(facts.get("issuer", "")))
    debit, credit = {
        "grant": (issuer, voucher(name)), "hold": (voucher(name), held(name)),
        "release": (held(name), voucher(name)), "expire": (voucher(name), issuer),
    }[kind]  # fmt: skip
    return Transfer(debit, credit, cast(Unit, facts["unit"]), cast(int, facts["amount"]))


def read_facts(text: str) -> Facts:
    """Raises Invalid or TypeError on a text that holds none."""
    return Facts(**cast("dict[str, Any]", parse(text)))


def _rounded(numerator: int, denominator: int) -> int:
    """Half up."""
    return (2 * numerator + denominator) // (2 * denominator)
