"""The lineage, drawn: from the sources, through every step, to the permit.

Owns how nodes and edges look; `layout` says where they are. Invariant: every node of the lineage is in the picture, and
what was refused or has not happened looks so.
"""

from __future__ import annotations

from collections.abc import Sequence

from touyan.report import layout, svg
from touyan.report.components import Section, note, tone
from touyan.report.facts import Node, ReportFacts
from touyan.report.markup import Child, Markup, Words, el
from touyan.report.words import say

NODE_WIDTH, NODE_HEIGHT, GAP, RISE, MARGIN = 152.0, 44.0, 18.0, 34.0, 6.0
ROOMS = {
    "source": "data", "documents": "data", "corpus": "corpus", "tokens": "corpus", "exclusions": "data", "feedback": "data",
    "tokenizer": "model", "model": "model", "evaluation": "model", "checks": "permit", "review": "permit", "permit": "permit",
}  # fmt: skip


def lineage(facts: ReportFacts) -> Section:
    graph = facts.lineage
    body: Child = _drawn(graph.nodes, graph.edges) if graph.nodes else note(Words("还没有谱系。", "There is no lineage yet."))
    return Section(
        "lineage",
        Words("谱系", "Lineage"),
        Words(
            "每个成果都由清单的 sha256 命名，并记下它的输入。虚线框是被拒绝或尚未发生的。",
            "A result is named by the sha256 of its manifest, which names its inputs. Dashed: refused, or yet to come.",
        ),
        body,
    )


def _drawn(nodes: Sequence[Node], edges: Sequence[tuple[str, str]]) -> Markup:
    placed = layout.place([n.id for n in nodes], edges, NODE_WIDTH, GAP)
    width = round(placed.width + 2 * MARGIN)
    height = placed.layers * NODE_HEIGHT + (placed.layers - 1) * RISE + 2 * MARGIN
    ports = _ports(placed)
    title = Words("从来源到许可的谱系", "Lineage from sources to permit")
    paths = [el("path", d=_path(route, *ports[edge]), class_="link") for edge, route in placed.routes.items()]
    boxes = [_box(n, *placed.nodes[n.id]) for n in nodes]
    return el("div", svg.picture(height, title, paths, boxes, class_="lineage", width=width), class_="scroll graph")


def _top(layer: int) -> float:
    return MARGIN + layer * (NODE_HEIGHT + RISE)


def _ports(placed: layout.Layout) -> dict[layout.Edge, tuple[float, float]]:
    """Where each edge leaves and enters: spread over the middle of a box in the order of where the edge goes."""
    leaving: dict[str, list[tuple[float, layout.Edge]]] = {}
    entering: dict[str, list[tuple[float, layout.Edge]]] = {}
    for edge, route in placed.routes.items():
        leaving.setdefault(edge[0], []).append((route[1][0], edge))
        entering.setdefault(edge[1], []).append((route[-2][0], edge))
    out = {e: x for node, found in leaving.items() for e, x in _spread(placed.nodes[node][0], found)}
    into = {e: x for node, found in entering.items() for e, x in _spread(placed.nodes[node][0], found)}
    return {edge: (out[edge], into[edge]) for edge in placed.routes}


def _spread(centre: float, found: list[tuple[float, layout.Edge]]) -> list[tuple[layout.Edge, float]]:
    pitch = min(14.0, 0.7 * NODE_WIDTH / max(len(found), 1))
    first = centre - pitch * (len(found) - 1) / 2
    return [(edge, first + i * pitch) for i, (_, edge) in enumerate(sorted(found))]


def _path(route: Sequence[tuple[float, int]], leave: float, enter: float) -> str:
    """Down from box to box; straight through the layers that it only passes."""
    xs = [leave, *(x for x, _ in route[1:-1]), enter]
    parts = [f"M{xs[0] + MARGIN:.1f} {_top(route[0][1]) + NODE_HEIGHT:.1f}"]
    for i in range(1, len(route)):
        start, end = _top(route[i - 1][1]) + NODE_HEIGHT, _top(route[i][1])
        middle = (start + end) / 2
        parts.append(f"C{xs[i - 1] + MARGIN:.1f} {middle:.1f} {xs[i] + MARGIN:.1f} {middle:.1f} {xs[i] + MARGIN:.1f} {end:.1f}")
        if i < len(route) - 1:
            parts.append(f"V{end + NODE_HEIGHT:.1f}")
    return "".join(parts)


def _box(node: Node, centre: float, layer: int) -> Markup:
    left, top = centre - NODE_WIDTH / 2 + MARGIN, _top(layer)
    state = say(node.state)
    is_made = node.state in ("done", "hit", "valid", "approved")
    told = say(node.detail) if node.kind == "permit" else svg.shortened(node.detail, 20)
    detail: str | Words = told if is_made and node.detail else state
    kind = say(node.kind)
    name = svg.shortened(node.label, 17)
    shown: str | Words = kind if node.kind in ("review",) else name
    look = f"node {ROOMS.get(node.kind, 'data')} {tone(node.state)}{'' if is_made else ' open'}"
    return el(
        "g",
        el("title", f"{node.label} · {kind.zh} / {kind.en} · {node.detail} · {state.zh} / {state.en}"),
        el("rect", x=f"{left:.1f}", y=f"{top:.1f}", width=f"{NODE_WIDTH:g}", height=f"{NODE_HEIGHT:g}", rx="5"),
        el("rect", x=f"{left:.1f}", y=f"{top + 8:.1f}", width="3", height=f"{NODE_HEIGHT - 16:g}", class_="strip"),
        svg.label(f"{left + 13:.1f}", top + 19, shown, "name"),
        svg.label(f"{left + 13:.1f}", top + 35, detail, "detail"),
        svg.label(f"{left + NODE_WIDTH - 9:.1f}", top + 35, kind if node.kind != "review" else "", "kind"),
        class_=look,
    )
