"""`touyan corpus certify`, and what `corpus run` leaves at its end: rejects, certificate, workbook and Croissant record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from touyan.cli.output import print_json, print_table, say
from touyan.cli.session import JsonOption
from touyan.cli.words import _, example, speaks_chinese

if TYPE_CHECKING:
    from touyan.corpus.certificate import Certificate
    from touyan.corpus.certificate_sample import Drawn


def add_to(group: typer.Typer) -> None:
    @group.command(epilog=example("touyan corpus certify clean --judged answers.xlsx"))
    def certify(
        out: Annotated[Path, typer.Argument(help=_("OUT of `corpus run`."))],
        judged: Annotated[
            Path | None, typer.Option(help=_("certificate.xlsx as people filled it in; its figures replace the machine's."))
        ] = None,
        sample: Annotated[int, typer.Option(min=0, help=_("Documents to look at; 0: as the last certificate."))] = 0,
        seed: Annotated[str, typer.Option(help=_("Another seed draws another sample; empty: as the last certificate."))] = "",
        thorough: Annotated[bool, typer.Option(help=_("Look for duplicates of the sample in the whole corpus."))] = False,
        as_json: JsonOption = False,
    ) -> None:
        """Measure what is left in a refined corpus, on a sample, and write the quality certificate.

        `certificate.xlsx` holds the sample for people to judge; give it back with --judged.
        """
        certificate = certified(out, judged, sample, seed, thorough)
        print_json(certificate.json()) if as_json else tell(certificate, out)


def tell(certificate: Certificate, out: Path) -> None:
    """The certificate as a table."""
    name = "name_zh" if speaks_chinese() else "name"
    judges = {"counted": _("counted"), "machine": _("machine"), "human": _("people")}
    rows = [
        (
            row[name],
            row["value"],
            f"{row['low']} – {row['high']}" if row["low"] is not None else "",
            row["n"],
            judges[row["judge"]],
        )
        for row in certificate.json()["dimensions"]
    ]
    print_table([_("dimension"), _("measured"), _("95 % interval"), _("sample"), _("judged by")], rows, "")
    say(_("Certificate: {path}").format(path=out / "certificate.xlsx"))


def certified(out: Path, judged: Path | None, size: int, seed: str, thorough: bool) -> Certificate:
    """Measures OUT again, takes in what people judged, and writes all files of the certificate.

    Raises Missing where OUT is no result of `corpus run`, Conflict where the corpus is not the one whose sample was judged.
    """
    from touyan.cli.corpus_run import write_report
    from touyan.core.errors import Conflict, Invalid, Missing
    from touyan.corpus.certificate import Drawing, measure, read_certificate
    from touyan.corpus.certificate_sample import Frame
    from touyan.corpus.certificate_sheet import read_book

    if not (out / "corpus" / "summary.json").exists():
        raise Missing("no-corpus", f"{out} holds no refined corpus", "make it: touyan corpus run IN OUT")
    last = read_certificate(out)
    known = last["sample"]
    drawing = Drawing(size or known["size"], seed or known["seed"], 0 if thorough else known["compared_chars"])
    frame = Frame(out / "corpus")
    if judged is not None and (size or seed):
        raise Invalid("two-samples", "--judged goes with the sample that was judged", "leave out --sample and --seed")
    if judged is not None and frame.digest != last["frame"]["digest"]:
        raise Conflict(
            "corpus-changed", f"{out} was refined again after its sample was drawn", "judge the sheet of: corpus certify"
        )
    certificate, drawn = measure(out, frame, last["recipe"], drawing)
    whole = certificate if judged is None else read_book(judged, certificate, drawn)
    write(out, whole, drawn, judged)
    write_report(out, whole.recipe)
    return whole


def certify_run(out: Path, recipe: str) -> None:
    """The rejects and the certificate of a run that just ended. What was certified before, and judged by people, stays."""
    from touyan.corpus.certificate import Drawing, measure
    from touyan.corpus.certificate_sample import Frame
    from touyan.corpus.rejects import REJECTED, write_rejects

    write_rejects(out / "documents", out / "corpus", out / REJECTED)
    frame = Frame(out / "corpus")
    if not len(frame):
        withdraw(out)
    elif not _is_certified(out, frame.digest, recipe):
        certificate, drawn = measure(out, frame, recipe, Drawing())
        write(out, certificate, drawn, None)


def withdraw(out: Path) -> None:
    """Takes away the certificate of a corpus that is no longer there."""
    for name in ("certificate.json", "certificate.xlsx", "croissant.json"):
        (out / name).unlink(missing_ok=True)


def write(out: Path, certificate: Certificate, drawn: list[Drawn], judged: Path | None) -> None:
    """Writes `certificate.xlsx`, `croissant.json` and, last, `certificate.json`."""
    from touyan.corpus.certificate import CERTIFICATE
    from touyan.corpus.certificate_croissant import CROISSANT, released_record
    from touyan.corpus.certificate_sheet import WORKBOOK, rewrite_book, write_book

    if judged is None:
        write_book(out / WORKBOOK, certificate, drawn)
    else:
        rewrite_book(judged, out / WORKBOOK, certificate)
    source = json.loads((out / "documents" / CROISSANT).read_bytes())
    _write_json(out / CROISSANT, released_record(source, out / "corpus", certificate))
    _write_json(out / CERTIFICATE, certificate.json())


def _is_certified(out: Path, digest: str, recipe: str) -> bool:
    """Whether the certificate there speaks of this corpus."""
    path = out / "certificate.json"
    if not path.exists():
        return False
    said = json.loads(path.read_bytes())
    return bool(said["frame"]["digest"] == digest and said["recipe"] == recipe)


def _write_json(target: Path, value: Any) -> None:
    draft = target.with_name(f".{target.name}")
    draft.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    draft.replace(target)
