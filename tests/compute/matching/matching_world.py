"""Small sites and Jobs by the dozen, for tests and for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from touyan.compute.matching.candidate import Candidate
from touyan.compute.matching.policy import Policy
from touyan.compute.matching.request import Data, Request, Voucher
from touyan.compute.rates.table import published
from touyan.compute.rates.throughput import Throughput
from touyan.compute.resources import Capacity, NodeClass, Offer, Pool
from touyan.core.job import Accelerator, Need

GIB = 1 << 30
MODELS = ("a800-80g", "ascend-910b", "v100-32g")
ZONES = ("", "CN", "CN-SH", "SG")


def site(
    name: str = "hpc1", model: str = "a800-80g", nodes: int = 4, devices: int = 8, free: int | None = None, offer: Offer | None = None,
    limit_s: int = 0, **more: object,
) -> Candidate:  # fmt: skip
    """A site of one pool with one class."""
    kind = NodeClass("node", nodes, 64, 512 * GIB, model if devices else "", devices, free_devices=free)
    return Candidate(name, Capacity((Pool("main", (kind,), limit_s=limit_s),), offer=offer or Offer()), **more)  # type: ignore[arg-type]


def job(name: str = "j", count: int = 1, models: tuple[str, ...] = ("a800-80g",), gang: int = 1, **more: object) -> Request:
    need = Need("ai", gang, accelerators=tuple(Accelerator(model, count) for model in models))
    return Request(name, need, **more)  # type: ignore[arg-type]


def throughput() -> Throughput:
    return Throughput(published())


zones = st.none() | st.frozensets(st.sampled_from(("CN", "CN-SH", "SG")), min_size=1)
data = st.builds(
    Data, st.just("d" * 64), st.integers(0, 1 << 40), zones, zones, st.sampled_from(("public", "general", "important", "state-secret")),
    st.frozensets(st.sampled_from(("s0", "s1"))),
)  # fmt: skip
vouchers = st.none() | st.builds(
    Voucher, st.just("v"), st.floats(0, 1e7), st.sampled_from(("device_s", "yuan")), st.booleans(), st.just(frozenset[str]())
)


@st.composite
def requests(draw: st.DrawFn) -> list[Request]:
    return [_request(draw, n) for n in range(draw(st.integers(1, 8)))]


def _request(draw: st.DrawFn, number: int) -> Request:
    models = draw(st.lists(st.sampled_from(MODELS), unique=True, max_size=2))
    count = draw(st.sampled_from((1, 2, 4, 8)))
    need = Need(
        draw(st.sampled_from(("general", "ai"))), draw(st.sampled_from((1, 1, 2, 4))), draw(st.sampled_from((0, 8, 96))),
        draw(st.sampled_from((4, 600))) * GIB, draw(st.sampled_from((3600, 90_000))), tuple(Accelerator(m, count) for m in models),
    )  # fmt: skip
    return Request(
        f"j{number}", need, "p", draw(st.sampled_from(("ann", "bob"))), "org", draw(st.sampled_from(("train", "refine"))), "f",
        draw(st.floats(1, 1e6)), tuple(draw(st.lists(data, max_size=1))), draw(vouchers), draw(st.floats(0, 1e6)),
    )  # fmt: skip


@st.composite
def sites(draw: st.DrawFn) -> list[Candidate]:
    return [_site(draw, n) for n in range(draw(st.integers(1, 5)))]


def _site(draw: st.DrawFn, number: int) -> Candidate:
    devices = draw(st.sampled_from((0, 4, 8)))
    nodes = draw(st.integers(0, 4))
    free = draw(st.none() | st.integers(0, 40))
    kind = NodeClass("node", nodes, 64, 512 * GIB, draw(st.sampled_from(MODELS)) if devices else "", devices, free, free)
    offer = Offer(
        {model: draw(st.floats(0, 20)) for model in MODELS}, draw(st.floats(0, 1)), parties=draw(st.sampled_from(((), ("ann",), ("org",)))),
        purposes=draw(st.sampled_from(((), ("train",)))), needs_voucher=draw(st.booleans()),
    )  # fmt: skip
    pool = Pool("main", (kind,), draw(st.sampled_from((("ai",), ("general", "ai")))), draw(st.sampled_from((0, 7200))))
    organisation = draw(st.sampled_from(("", "org")))
    return Candidate(
        f"s{number}", Capacity((pool,), offer=offer), organisation, organisation, draw(st.sampled_from(ZONES)),
        draw(st.sampled_from(("", "general", "important"))), draw(st.sampled_from(("", "", "", "it is drained"))),
        draw(st.none() | st.integers(0, 3)), draw(st.sampled_from((None, frozenset({"p"}), frozenset({"q"})))),
        quota=draw(st.sampled_from(({}, {"ann": 4}))),
    )  # fmt: skip


policies = st.builds(Policy, queue_depth=st.integers(0, 1), quotas=st.sampled_from(({}, {"ann": 6})), solve_s=st.just(5.0))
