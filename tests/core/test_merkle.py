"""The tree of RFC 6962: its published vectors, and proofs that prove nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from touyan.core import merkle

# The leaves and roots of the tests of google/certificate-transparency, which RFC 6962 was written with.
LEAVES = [
    bytes.fromhex(h) for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = st.integers(1, 130)


def tree(leaves: list[bytes]) -> merkle.Node:
    """All complete nodes, stored as the log stores them: each when its last leaf comes."""
    nodes: dict[tuple[int, int], bytes] = {}
    for position, leaf in enumerate(leaves):
        nodes[0, position] = merkle.leaf_hash(leaf)
        for level, index in merkle.completed_by(position + 1):
            nodes[level, index] = merkle.parent_hash(nodes[level - 1, 2 * index], nodes[level - 1, 2 * index + 1])
    return lambda level, index: nodes[level, index]


def numbered(size: int) -> merkle.Node:
    return tree([str(i).encode() for i in range(size)])


def test_the_published_roots() -> None:
    assert [merkle.root(tree(LEAVES), size).hex() for size in range(9)] == ROOTS


def test_the_published_inclusion_proof_of_leaf_five_in_eight() -> None:
    path = [h.hex() for h in merkle.inclusion_proof(tree(LEAVES), 5, 8)]
    assert path == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(SIZES, st.data())
def test_every_leaf_has_a_proof_and_no_other_leaf_has_it(size: int, data: st.DataObject) -> None:
    index, node = data.draw(st.integers(0, size - 1)), numbered(size)
    root, proof = merkle.root(node, size), merkle.inclusion_proof(node, index, size)
    assert merkle.verify_inclusion(node(0, index), index, size, proof, root)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"other"), index, size, proof, root)
    assert not merkle.verify_inclusion(node(0, index), index + 1, size, proof, root) or proof == []
    assert not merkle.verify_inclusion(node(0, index), size, size, proof, root)


@given(SIZES, st.data())
def test_a_proof_with_a_hash_too_many_or_too_few_fails(size: int, data: st.DataObject) -> None:
    index, node = data.draw(st.integers(0, size - 1)), numbered(size)
    root, proof = merkle.root(node, size), merkle.inclusion_proof(node, index, size)
    assert not merkle.verify_inclusion(node(0, index), index, size, [*proof, b"\0" * 32], root)
    assert not proof or not merkle.verify_inclusion(node(0, index), index, size, proof[:-1], root)


@given(SIZES, st.data())
def test_an_old_tree_is_a_prefix_of_the_new_one_and_no_other_tree_is(new: int, data: st.DataObject) -> None:
    old, node = data.draw(st.integers(1, new)), numbered(new)
    proof = merkle.consistency_proof(node, old, new)
    roots = merkle.root(node, old), merkle.root(node, new)
    assert merkle.verify_consistency(old, new, *roots, proof)
    forged = merkle.root(tree([b"forged"] * old), old)
    assert not merkle.verify_consistency(old, new, forged, roots[1], proof)
    assert old == new or not merkle.verify_consistency(old, new, *roots, [])
