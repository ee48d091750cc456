"""`touyan serve --stop` ends the service of this store, and nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from touyan.cli.serve import RUNNING_FILE, end, running
from touyan.compute.owner import this_process
from touyan.core.errors import Missing

URL = "http://127.0.0.1:8000"


@pytest.mark.parametrize("said", [{"process": "another-boot/1/1"}, {}], ids=["another process", "not told which"])
def test_a_process_that_only_has_its_id_is_left_alone(tmp_path: Path, said: dict[str, str]) -> None:
    file = tmp_path / RUNNING_FILE
    file.write_text(json.dumps({"pid": os.getpid(), "url": URL} | said))
    assert running(file) is None
    with pytest.raises(Missing, match="no service runs"):
        end(file)


@pytest.mark.parametrize("text", ["[1]", "{", ""])
def test_a_file_that_says_nothing_names_no_service(tmp_path: Path, text: str) -> None:
    file = tmp_path / RUNNING_FILE
    file.write_text(text)
    assert running(file) is None


def test_the_service_of_a_store_is_found(tmp_path: Path) -> None:
    file = tmp_path / RUNNING_FILE
    file.write_text(json.dumps({"pid": os.getpid(), "process": this_process(), "url": URL}))
    assert running(file) == (os.getpid(), URL)
