"""DOC, XLS, WPS, ET, RTF: turned into DOCX or XLSX by LibreOffice where it is installed, and then read as such.

Owns the call of the converter: a profile of its own, limits on CPU, size and time, no secrets in its environment. Knows nothing about the
formats. Invariant: the converter and all that it starts are gone before the file is; without one the file is listed with what to do.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from touyan.core.canonical import sha256_hex
from touyan.data.reader import Damaged, Options, Record, Unreadable
from touyan.data.readers.docx import READER as DOCX
from touyan.data.readers.whole import whole_file
from touyan.data.readers.xlsx import READER as XLSX

LIMIT_S = 120
SIZE_FACTOR = 8
"""What the converter may write, in multiples of the limit for one document."""
_SHEETS = (".xls", ".et")


class LegacyReader:
    """`.doc`, `.wps`, `.rtf`, `.xls`, `.et`."""

    extensions = (".doc", ".wps", ".rtf", *_SHEETS)
    isolated = False

    def read(self, path: Path, options: Options) -> Iterator[Record | Unreadable]:
        raw = whole_file(path, options)
        converter = shutil.which("soffice") or shutil.which("libreoffice")
        if converter is None:
            raise Damaged("no-converter", "install LibreOffice (soffice), or save it as DOCX or XLSX")
        reader = XLSX if path.suffix.lower() in _SHEETS else DOCX
        for outcome in reader.parse(_converted(converter, path, raw, reader.extensions[0][1:], options), path.name, options):
            if isinstance(outcome, Record) and not outcome.place:
                yield Record("", outcome.text, sha256_hex(raw), outcome.values)  # the file's digest, not the conversion's
            else:
                yield outcome


def _converted(converter: str, path: Path, raw: bytes, kind: str, options: Options) -> bytes:
    """The file as DOCX or XLSX. Raises Damaged where the converter fails, or takes too long."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        source = home / f"in{path.suffix.lower()}"
        source.write_bytes(raw)
        command = [converter, f"-env:UserInstallation={(home / 'profile').as_uri()}", "--headless", "--norestore"]
        _run([*command, "--convert-to", kind, "--outdir", str(home / "out"), str(source)], home, options)
        target = home / "out" / f"in.{kind}"
        if not target.is_file():
            raise Damaged("not-converted", "the converter gave nothing")
        return whole_file(target, options)


def _run(command: list[str], home: Path, options: Options) -> None:
    def limit() -> None:
        for name, value in (
            (resource.RLIMIT_CPU, LIMIT_S),
            (resource.RLIMIT_FSIZE, SIZE_FACTOR * options.max_document_bytes),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.setrlimit(name, (value, value))

    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8"}
    process = subprocess.Popen(
        command, env=environment, cwd=home, start_new_session=True, preexec_fn=limit,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        process.wait(2 * LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise Damaged("not-converted", f"the converter took more than {2 * LIMIT_S} s") from error
    finally:
        _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends the converter and what it started: `soffice` is a script around the program that works."""
    with suppress(ProcessLookupError):  # all of them have ended by themselves
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


READER = LegacyReader()
