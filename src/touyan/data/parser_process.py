"""Parsing hostile files in a process that can be lost.

Owns a child process with limits on CPU time and memory for each document, without secrets in its environment and without the
right to write files. Knows nothing about formats. Invariant: whatever a file does to the child, the parent gets records and
reasons within a bounded time; a child that dies or hangs costs its file, and the next file has a new one.

Frames on the socket are a 4-byte big-endian length and JSON: nothing that a captured child sends is ever executed.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from touyan.core.errors import Broken, Missing
from touyan.data.cpu_limit import at_most_hard, limit_cpu, renew
from touyan.data.reader import Options, Record, Unreadable, named_reader, read_file

WALL_FACTOR = 10
"""A parser that waits instead of computing is given up after this many times its CPU limit."""
FRAME_FACTOR = 8
"""A code point takes at most 6 bytes as JSON; the rest is for the other columns."""
READY = {"ready": 1}
"""The child's first frame: what fails before it is our fault, not a file's."""
_HEAD = struct.Struct(">I")


class ParserProcess:
    """The parent's side; a context manager. The child starts with the first isolated file and stays until it is lost."""

    def __init__(self, limit_s: int, memory_bytes: int, max_document_bytes: int) -> None:
        self._limit_s = limit_s
        self._memory_bytes = memory_bytes
        self._max_frame_bytes = FRAME_FACTOR * max_document_bytes + (1 << 20)
        self._child: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def read(self, reader: str, path: Path, options: Options) -> Iterator[Record | Unreadable]:
        """What `reader` finds in the file at `path`.

        Raises Missing where the reader's extra is not installed, Broken where no child can be started at all.
        """
        channel = self._socket or self._start()
        is_whole = False
        try:
            send(channel, {"reader": reader, "path": str(path), "options": asdict(options)})
            while (frame := receive(channel, self._max_frame_bytes)) is not None:
                if "end" in frame:
                    is_whole = True
                    return
                yield _outcome(frame)
            yield Unreadable("", f"parser-lost: {self._cause()}")
        except TimeoutError:
            yield Unreadable("", f"parser-lost: no answer within {WALL_FACTOR * self._limit_s} s")
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:  # a captured child may send anything
            yield Unreadable("", f"parser-lost: {type(error).__name__}")
        finally:
            if not is_whole:  # lost, or left in the middle of a file: its answers would be taken for the next file's
                self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def _start(self) -> socket.socket:
        parent, child = socket.socketpair()
        with child:
            command = [
                sys.executable,
                "-P",
                "-m",
                __spec__.name,
                str(child.fileno()),
                str(self._limit_s),
                str(self._memory_bytes),
            ]
            self._child = subprocess.Popen(
                command,
                env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": "0", "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[child.fileno()],
            )  # fmt: skip
        parent.settimeout(WALL_FACTOR * self._limit_s)
        self._socket = parent
        if receive(parent, self._max_frame_bytes) != READY:
            self._stop()
            raise Broken(
                "no-parser", "the parser process does not start", f"run: {sys.executable} -c 'import touyan.data.parser_process'"
            )
        return parent

    def _cause(self) -> str:
        """Why the child closed its end."""
        try:
            code = self._child.wait(timeout=1) if self._child else 0
        except subprocess.TimeoutExpired:
            return "closed its socket without ending"
        if code == -signal.SIGXCPU:
            return f"took more than {self._limit_s} s of CPU for one document"
        return "killed, most likely for memory" if code == -signal.SIGKILL else f"ended with status {code}"

    def _stop(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        self._socket = self._child = None


def send(channel: socket.socket, value: dict[str, Any]) -> None:
    """Writes one frame."""
    data = json.dumps(value).encode()
    channel.sendall(_HEAD.pack(len(data)) + data)


def receive(channel: socket.socket, max_bytes: int) -> dict[str, Any] | None:
    """Reads one frame; None where the other end is closed. Raises ValueError on one that is too large or no JSON object."""
    head = _exactly(channel, _HEAD.size)
    if head is None:
        return None
    (size,) = _HEAD.unpack(head)
    if size > max_bytes:
        raise ValueError("frame too large")
    data = _exactly(channel, size)
    if data is None:
        return None
    value = json.loads(data)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _exactly(channel: socket.socket, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        chunk = channel.recv(min(size - len(data), 1 << 20))
        if not chunk:
            return None
        data += chunk
    return bytes(data)


def _outcome(frame: dict[str, Any]) -> Record | Unreadable:
    """The outcome in a frame. Raises Missing where the child lacks an extra, ValueError where the frame is malformed."""
    if "missing" in frame:
        raise Missing(*map(str, frame["missing"]))
    if "reason" in frame:
        return Unreadable(str(frame["place"]), str(frame["reason"]))
    place, text, raw, values = (frame.get(name) for name in ("place", "text", "raw_sha256", "values"))
    if not (isinstance(place, str) and isinstance(text, str) and isinstance(raw, str) and isinstance(values, dict)):
        raise ValueError("malformed record")
    return Record(place, text, raw, {str(name): None if cell is None else str(cell) for name, cell in values.items()})


def serve(channel: socket.socket, limit_s: int, memory_bytes: int) -> None:
    """The child's side: answers requests until the parent closes its end."""
    for limit, value in ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        value = at_most_hard(limit, value)
        resource.setrlimit(limit, (value, value))
    limit_cpu(limit_s)
    send(channel, READY)
    while (request := receive(channel, 1 << 20)) is not None:
        renew()
        try:
            for outcome in read_file(named_reader(request["reader"]), Path(request["path"]), Options(**request["options"])):
                send(channel, asdict(outcome))
                renew()
        except Missing as error:
            send(channel, {"missing": [error.code, error.message, error.hint]})
        send(channel, {"end": True})


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3]))
