"""Owners: only a process that sees the same pids may call another dead."""

from __future__ import annotations

import os
import subprocess

from touyan.compute.owner import is_dead, kernel, this_process
from touyan.compute.processes import start_time


def test_a_process_that_lives_is_not_dead() -> None:
    assert not is_dead(this_process())


def test_a_process_that_has_ended_is_dead_even_before_it_is_collected() -> None:
    child = subprocess.Popen(["sleep", "600"])
    owner = f"{kernel()}/{child.pid}/{start_time(child.pid)}"
    assert not is_dead(owner)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(owner)
    child.wait()
    assert is_dead(owner)


def test_another_process_with_the_same_pid_is_not_the_owner() -> None:
    assert is_dead(f"{kernel()}/{os.getpid()}/1")


def test_of_another_host_nothing_is_said() -> None:
    assert not is_dead("another-kernel/1/1")
    assert not is_dead("")
