"""Withdrawals: what they reach, what they leave alone, and what they delete."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from touyan.core.asset import InputRef, build
from touyan.core.canonical import sha256_hex
from touyan.core.document import document_id, one_spelling, pseudonym
from touyan.core.errors import Invalid, Missing, Refused
from touyan.core.job import JobSpec, NamedInput, Need
from touyan.core.party import Actor
from touyan.core.statement import Effect
from touyan.store import withdrawals as withdrawals_module
from touyan.store.formats.corpus import PartWriter, token_index_schema, verdicts_schema
from touyan.store.formats.documents import DocumentRow, DocumentWriter
from touyan.store.home import Store
from touyan.store.withdrawals import WithdrawalReport

SOURCE, OTHER = "acme/notes", "bolt/letters"


def row(name: str, source: str = SOURCE, subjects: tuple[str, ...] = ()) -> DocumentRow:
    raw = name.encode()
    return DocumentRow(
        document_id(source, name, "1"), source, name, "1", sha256_hex(raw), name, None, None, None, "{}", "0" * 64, subjects
    )


class Ring:
    """A small ring of Assets: two sources, documents of each, a corpus of both, tokens in two shards, a model, an evaluation."""

    def __init__(self, store: Store, folder: Path, add_source: Callable[..., str], subjects: tuple[str, ...] = ()) -> None:
        self.store, self.folder, self.actor = store, folder, store.me()
        self.notes = [row("first", subjects=subjects), row("second")]
        self.letters = [row("third", OTHER)]
        self.source = add_source(store, {f"{r.natural_key}.txt": r.text.encode() for r in self.notes}, SOURCE)
        self.other = add_source(store, {"third.txt": b"third"}, OTHER)
        self.documents = self.step("documents", "read/notes", [("source", self.source)], lambda f: write(f, self.notes))
        self.other_documents = self.step("documents", "read/letters", [("source", self.other)], lambda f: write(f, self.letters))
        both = [("documents", self.documents), ("documents", self.other_documents)]
        self.corpus = self.step("corpus", "refine", both, lambda f: write(f, [*self.notes, *self.letters], is_corpus=True))
        self.tokens = self.step("tokens", "pack", [("corpus", self.corpus)], self.shards)
        self.model = self.step(
            "model", "train", [("tokens", self.tokens)], lambda f: (f / "model.safetensors").write_bytes(b"weights")
        )
        inputs = [("model", self.model), ("corpus", self.corpus)]
        self.evaluation = self.step("evaluation", "evaluate", inputs, lambda f: (f / "metrics.json").write_bytes(b"{}"))

    def step(self, kind: str, name: str, inputs: Sequence[tuple[str, str]], make: Callable[[Path], object]) -> str:
        """Publishes what a step of this kind would have made."""
        folder = self.folder / f"made-{name.replace('/', '-')}-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        make(folder)
        refs = [InputRef(role, asset) for role, asset in inputs]
        manifest = build(kind, self.store.assets.store_folder(folder), refs, step_key=sha256_hex(folder.name.encode()))
        with self.store.database.write() as connection:
            return self.store.assets.publish(connection, self.actor, manifest, name)

    def shards(self, folder: Path) -> None:
        for number, rows in enumerate(([self.notes[0]], [self.notes[1], *self.letters])):
            write_tokens(folder / "train", number, rows)

    def withdraw(self, effect: Effect = "no-new-use", document: int = 0) -> WithdrawalReport:
        return self.store.withdrawals.withdraw(self.actor, "document", self.notes[document].doc_id, effect, "the author asked")

    def blocked(self, asset: str, purpose: str = "train", leaving_out: Sequence[str] = ()) -> bool:
        with self.store.database.read() as connection:
            blocks = self.store.gate.blocks(connection, self.actor.project, asset, purpose, leaving_out)  # type: ignore[arg-type]
        return bool(blocks)


def write(folder: Path, rows: Sequence[DocumentRow], *, is_corpus: bool = False) -> None:
    with DocumentWriter(folder, with_split=is_corpus) as writer:
        for one in rows:
            writer.add(one)
    (folder / "summary.json").write_text(json.dumps({"samples": [r.text for r in rows]}))


def write_tokens(folder: Path, number: int, rows: Sequence[DocumentRow]) -> None:
    with PartWriter(folder / f"part-{number:05d}.index.parquet", token_index_schema()) as writer:
        ends = range(1, len(rows) + 1)
        writer.extend({"doc_id": [r.doc_id for r in rows], "start": [e - 1 for e in ends], "end": list(ends)})
    (folder / f"part-{number:05d}.bin").write_bytes("".join(r.text for r in rows).encode())


@pytest.fixture
def ring(sqlite_store: Store, tmp_path: Path, add_source: Callable[..., str]) -> Ring:
    (tmp_path / "ring").mkdir()
    return Ring(sqlite_store, tmp_path / "ring", add_source)


def test_a_document_reaches_what_was_made_from_it_and_nothing_else(
    store: Store, tmp_path: Path, add_source: Callable[..., str]
) -> None:
    (tmp_path / "ring").mkdir()
    ring = Ring(store, tmp_path / "ring", add_source)
    report = ring.withdraw()
    assert {i for ids in report.reached.values() for i in ids} == {
        ring.source, ring.documents, ring.corpus, ring.tokens, ring.model, ring.evaluation,
    }  # fmt: skip
    assert report.models == (ring.model,)
    assert report.documents == 1
    assert not ring.blocked(ring.other_documents)
    assert not ring.blocked(ring.model, "serve")


def test_the_statements_are_signed_and_the_event_counts(ring: Ring) -> None:
    report = ring.withdraw()
    with ring.store.database.read() as connection:
        withdrawals = ring.store.statements.standing(connection, "default", ring.model).withdrawals
    assert list(withdrawals) == [report.id]
    ring.store.events.sequence()
    (logged,) = ring.store.events.find("default", kind="withdrawal.made")
    assert logged.body is not None
    assert logged.body["reached"] == {"corpus": 1, "documents": 1, "evaluation": 1, "model": 1, "source": 1, "tokens": 1}


def test_a_source_stops_every_new_use_of_what_came_from_it(ring: Ring) -> None:
    report = ring.store.withdrawals.withdraw(ring.actor, "source", SOURCE, "no-new-use", "the contract ended")
    assert ring.blocked(ring.source, "refine")
    assert ring.blocked(ring.corpus)
    assert report.documents == 2
    assert not ring.blocked(ring.other, "refine")


def test_serving_goes_on_unless_the_effect_says_otherwise(ring: Ring) -> None:
    ring.withdraw("no-new-use")
    assert not ring.blocked(ring.model, "serve")
    ring.withdraw("stop-serving")
    assert ring.blocked(ring.model, "serve")


def test_only_refining_may_open_what_it_leaves_documents_out_of(sqlite_store: Store, add_source: Callable[..., str]) -> None:
    source, me = add_source(sqlite_store, {"a.txt": b"text"}), sqlite_store.me()
    made = sqlite_store.withdrawals.withdraw(
        me, "document", document_id("acme/notes", "a.txt", "1"), source="acme/notes", reason="asked"
    )
    with sqlite_store.database.read() as connection:
        assert sqlite_store.gate.blocks(connection, "default", source, "refine")
    assert sqlite_store.gate.open(source, me, "refine", [made.id]).asset.id == source
    with pytest.raises(Refused, match="was withdrawn"):
        sqlite_store.gate.open(source, me, "train", [made.id])


def test_a_person_is_found_by_pseudonym_in_the_column_of_subjects(
    sqlite_store: Store, tmp_path: Path, add_source: Callable[..., str]
) -> None:
    (tmp_path / "ring").mkdir()
    person = sqlite_store.withdrawals.pseudonym("+86 138-0013-8000")
    ring = Ring(sqlite_store, tmp_path / "ring", add_source, (person,))
    report = sqlite_store.withdrawals.withdraw(ring.actor, "subject", person, "no-new-use", "the person asked")
    assert report.documents == 1
    assert report.models == (ring.model,)
    assert not ring.blocked(ring.other_documents)


def test_a_pseudonym_is_the_one_that_steps_write(sqlite_store: Store) -> None:
    variable = sqlite_store.pseudonym_key().hex()  # what an agent hands to a step
    assert sqlite_store.withdrawals.pseudonym("１３８ 0013 8000") == pseudonym(variable.encode(), one_spelling("13800138000"))


def test_a_person_is_never_withdrawn_by_name(ring: Ring) -> None:
    with pytest.raises(Invalid, match="pseudonym"):
        ring.store.withdrawals.withdraw(ring.actor, "subject", "Li Lei", "no-new-use", "the person asked")


def test_a_person_may_leave_before_anything_about_the_person_is_read(ring: Ring, add_source: Callable[..., str]) -> None:
    person = ring.store.withdrawals.pseudonym("li@example.cn")
    report = ring.store.withdrawals.withdraw(ring.actor, "subject", person, "no-new-use", "the person asked")
    assert not report.reached
    later = add_source(ring.store, {"later.txt": b"later"}, "acme/later")
    assert ring.blocked(later, "refine")
    assert not ring.blocked(later, "refine", [report.id])


@pytest.mark.parametrize(("selector", "value"), [("source", "acme/note"), ("document", "0" * 64)])
def test_what_is_not_here_cannot_be_withdrawn(ring: Ring, selector: str, value: str) -> None:
    with pytest.raises(Missing):
        ring.store.withdrawals.withdraw(ring.actor, selector, value, "no-new-use", "a slip of the pen")  # type: ignore[arg-type]


def test_erasing_deletes_the_shards_that_hold_the_document_and_keeps_the_others(ring: Ring) -> None:
    report = ring.withdraw("erase")
    tokens, source = manifest_of(ring, ring.tokens), manifest_of(ring, ring.source)
    held = {f.path: ring.store.objects.has(f.sha256, f.size_bytes) for f in (*tokens.files, *source.files)}
    assert held == {
        "train/part-00000.bin": False, "train/part-00000.index.parquet": False, "train/part-00001.bin": True,
        "train/part-00001.index.parquet": True, "first.txt": False, "second.txt": True,
    }  # fmt: skip
    assert report.erased_bytes > 0
    assert ring.blocked(ring.documents, "inspect")
    assert not ring.blocked(ring.other_documents, "refine")
    model = manifest_of(ring, ring.model)
    assert ring.store.objects.has(model.files[0].sha256, model.files[0].size_bytes)
    assert ring.blocked(ring.model, "serve")


def test_bytes_that_another_asset_needs_are_kept_and_named(ring: Ring, add_source: Callable[..., str]) -> None:
    twin = add_source(ring.store, {"copy.txt": b"first"}, OTHER)
    report = ring.withdraw("erase")
    assert report.kept == (sha256_hex(b"first"),)
    assert not ring.blocked(twin, "refine")
    assert ring.store.gate.open(twin, ring.actor, "refine")


def test_an_erasure_that_was_cut_off_is_finished_by_the_next_call(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(sha256: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(ring.store.objects, "delete", stop)
        with pytest.raises(KeyboardInterrupt):
            ring.withdraw("erase")
    assert ring.store.objects.has(sha256_hex(b"first"), 5)
    assert ring.store.withdrawals.finish_erasing(ring.actor) > 0
    assert not ring.store.objects.has(sha256_hex(b"first"), 5)


def test_the_same_withdrawal_again_is_the_same_one(ring: Ring) -> None:
    assert ring.withdraw().id == ring.withdraw().id
    assert len(ring.store.withdrawals.active("default", SOURCE)) == 1


def test_a_source_registered_again_stays_withdrawn(ring: Ring, add_source: Callable[..., str]) -> None:
    report = ring.withdraw()
    again = add_source(ring.store, {"first.txt": b"first", "new.txt": b"new"}, SOURCE)
    assert ring.blocked(again, "refine")
    with ring.store.database.write() as connection:
        applied = ring.store.withdrawals.apply_to_new_source(connection, ring.actor, again, SOURCE)
    assert [w.id for w in applied] == [report.id]


def test_lifting_frees_everything_that_was_not_erased(ring: Ring) -> None:
    report = ring.withdraw()
    ring.store.withdrawals.lift(ring.actor, report.id, "it was a mistake")
    assert not any(map(ring.blocked, (ring.source, ring.corpus, ring.tokens)))
    assert ring.store.withdrawals.active("default") == []
    with pytest.raises(Missing):
        ring.store.withdrawals.lift(ring.actor, report.id, "again")


def test_exclusions_are_one_file_a_withdrawal_and_always_the_same_asset(ring: Ring) -> None:
    withdrawals = ring.store.withdrawals
    assert withdrawals.exclusions_asset(ring.actor, [SOURCE]) is None
    report = ring.withdraw()
    asset = withdrawals.exclusions_asset(ring.actor, [SOURCE, OTHER])
    assert asset is not None
    assert asset == withdrawals.exclusions_asset(ring.actor, [SOURCE])
    assert withdrawals.exclusions_asset(ring.actor, [OTHER]) is None
    assert [f.path for f in manifest_of(ring, asset).files] == [f"{report.id}.jsonl"]


def test_a_corpus_made_with_the_exclusions_is_free_of_the_withdrawal(ring: Ring) -> None:
    report = ring.withdraw()
    exclusions = ring.store.withdrawals.exclusions_asset(ring.actor, [SOURCE])
    assert exclusions is not None

    def make(folder: Path) -> None:
        write(folder, [ring.notes[1]], is_corpus=True)
        with PartWriter(folder / "verdicts" / "part-00000.parquet", verdicts_schema()) as verdicts:
            said = {"doc_id": ring.notes[0].doc_id, "operator": "exclusions", "version": "1", "reason": "withdrawn-document"}
            rest = dict.fromkeys(("score", "excerpt", "evidence")) | {"outcome": "drop", "parameters": "{}"}
            verdicts.extend({name: [value] for name, value in (said | rest).items()})

    clean = ring.step("corpus", "refine", [("documents", ring.documents), ("exclusions", exclusions)], make)
    assert not ring.blocked(clean)
    assert clean not in ring.store.withdrawals.withdraw(
        ring.actor, "document", ring.notes[0].doc_id, "erase", "and forget it"
    ).reached.get("corpus", ())
    stale = ring.step("corpus", "refine", [("documents", ring.documents)], lambda f: write(f, [ring.notes[1]], is_corpus=True))
    assert ring.blocked(stale)
    assert report.id


def test_who_may_not_withdraw_is_refused_with_an_event(ring: Ring, enrol: Callable[..., Actor]) -> None:
    reviewer = enrol(ring.store, "rita", "reviewer")
    with pytest.raises(Refused):
        ring.store.withdrawals.withdraw(reviewer, "source", SOURCE, "no-new-use", "I do not like it")
    ring.store.events.sequence()
    assert ring.store.events.find("default", kind="withdrawal.refused")


@pytest.mark.parametrize("deadline", ["soon", "2027-13-01"])
def test_a_deadline_is_a_date(ring: Ring, deadline: str) -> None:
    with pytest.raises(Invalid, match="ISO date"):
        ring.store.withdrawals.withdraw(ring.actor, "source", SOURCE, "erase", "the contract ended", deadline)


def manifest_of(ring: Ring, asset: str):
    with ring.store.database.read() as connection:
        return ring.store.assets.get(connection, "default", asset).manifest


def test_jobs_that_use_what_was_reached_are_called_off_and_others_go_on(ring: Ring) -> None:
    def submit(name: str, asset: str) -> str:
        given = (NamedInput("tokens", asset, "pack"),)
        spec = JobSpec("default", name, "train", "1", {}, given, "model", "train", "python", Need(), ring.actor.party)
        return ring.store.jobs.submit(ring.actor, spec)

    reached, other = submit("train", ring.tokens), submit("elsewhere", ring.other_documents)
    report = ring.withdraw()
    assert report.jobs == (reached,)
    assert ring.store.jobs.get(reached).state == "cancelled"
    assert ring.store.jobs.get(other).state == "waiting"


def test_what_is_published_during_the_look_is_reached_by_a_second_look(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, look = list[str](), withdrawals_module.find

    def find_while_another_publishes(*given: object) -> object:
        reach = look(*given)  # type: ignore[arg-type]
        if not looks:
            rows = [ring.notes[0]]
            looks.append(
                ring.step("corpus", "meanwhile", [("documents", ring.documents)], lambda f: write(f, rows, is_corpus=True))
            )
        return reach

    monkeypatch.setattr(withdrawals_module, "find", find_while_another_publishes)
    report = ring.withdraw()
    assert looks[0] in report.reached["corpus"]
    assert ring.blocked(looks[0])


def test_a_withdrawal_in_one_project_leaves_another_project_and_its_bytes_alone(ring: Ring, tmp_path: Path) -> None:
    stranger = replace(ring.actor, project="other")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "first.txt").write_bytes(b"first")
    theirs = ring.store.assets.add_folder(stranger, "source", tmp_path / "theirs", "first", provider="bolt/first")
    report = ring.withdraw("erase")
    assert report.kept == (sha256_hex(b"first"),)
    with ring.store.database.read() as connection:
        assert not ring.store.statements.standing(connection, "other", theirs).withdrawals
