"""Plans, what-ifs, traces as files, figures and the report; the published figure of FIFO where the real trace is at hand."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from command_line import touyan
from touyan.compute.shares import Share, Shares
from touyan.compute.simulation.figures import figures, percentile
from touyan.compute.simulation.page import Result, page
from touyan.compute.simulation.plan import POLICIES, Plan, changed
from touyan.compute.simulation.plot import Series, plot
from touyan.compute.simulation.trace import in_order, read_philly
from touyan.core.errors import Invalid, Missing

HEADER = "timestamp,duration,num_gpus,gpu_time,cluster\n"
ROWS = (
    "2017-10-09 07:00:10,100,1,1,b\n2017-10-09 07:00:00,50.5,2,1,a\n2017-10-09 07:00:20,0,1,0,a\n2017-10-09 07:00:00,10,1,1,a\n"
)
SHARES = Shares({"a": Share(2), "b": Share(1)})
JOBS = in_order([("a", 2, 0.0, 3600.0), ("b", 1, 0.0, 7200.0), ("a", 2, 0.0, 3600.0)])


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "trace.csv"
    path.write_text(text)
    return path


def test_a_trace_is_read_in_order_of_arrival_then_of_the_file(tmp_path: Path) -> None:
    jobs = read_philly(written(tmp_path, HEADER + ROWS))
    assert [(j.ask.owner, j.ask.devices, j.ask.arrived_s, j.duration_s) for j in jobs] == [
        ("a", 2, 0.0, 50.5), ("a", 1, 0.0, 10.0), ("b", 1, 10.0, 100.0),
    ]  # fmt: skip


def test_what_is_wrong_in_a_trace_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"trace\.csv, line 3"):
        read_philly(written(tmp_path, HEADER + ROWS.splitlines()[0] + "\nyesterday,1,1,1,a\n"))
    with pytest.raises(Invalid, match="lacks the columns num_gpus"):
        read_philly(written(tmp_path, "timestamp,duration,cluster\n"))
    with pytest.raises(Missing):
        read_philly(tmp_path / "none.csv")


def test_figures_are_those_of_the_courses() -> None:
    found = figures(Plan(3).run(JOBS), 3)
    assert (found.jobs, found.completion_mean_h, found.wait_mean_h) == (3, pytest.approx(5 / 3), pytest.approx(1 / 3))
    assert (found.large_jobs, found.large_wait_p99_h, found.stops, found.used_share) == (0, 0.0, 0, 1.0)
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_that_is_named_runs(policy: str) -> None:
    assert all(c.ended_s > 0 for c in Plan(3, policy, SHARES).run(JOBS))


def test_a_what_if_changes_one_thing() -> None:
    base = Plan(4, "shares", SHARES)
    assert [changed(base, w).devices for w in ("gpus=9", "gpus=+2", "gpus=-1")] == [9, 6, 3]
    assert changed(base, "patience_h=2").patience_s == 7200
    assert changed(base, "policy=fifo").policy == "fifo"
    assert changed(base, "share:b=2").shares == replace(SHARES, owners={"a": Share(2), "b": Share(2)})
    late = changed(base, "load=0.5").run(in_order([("a", 1, 0.0, 1.0), ("a", 1, 5.0, 1.0)]))
    assert late[1].job.ask.arrived_s == 10


@pytest.mark.parametrize("words", ["gpus=none", "gpus=-4", "load=0", "speed=2", "share:a=-1", "share:a", ""])
def test_a_what_if_that_makes_no_sense_is_refused(words: str) -> None:
    with pytest.raises(Invalid):
        changed(Plan(4, "shares", SHARES), words)


def test_a_policy_that_is_unknown_or_lacks_shares_is_refused() -> None:
    with pytest.raises(Invalid, match="'fifi'") as refused:
        Plan(3, "fifi").run(JOBS)
    assert "fifo" in refused.value.hint
    with pytest.raises(Invalid, match="needs a shares file"):
        Plan(3, "shares").run(JOBS)


def test_the_report_shows_every_plan_and_its_plot_is_xml() -> None:
    page_text = page("<trace>", [Result("fifo & co", figures(Plan(3).run(JOBS), 3))])
    assert "&lt;trace&gt;" in page_text
    assert "fifo &amp; co" in page_text
    assert ET.fromstring(plot([Series("a<b", [(1.0, 2.0, "x"), (300.0, 0.5, "y")])], "h", "h")).tag.endswith("svg")


def test_the_command_simulates_and_writes_a_report(tmp_path: Path) -> None:
    trace = written(tmp_path, HEADER + ROWS)
    shares = tmp_path / "shares.json"
    shares.write_text('{"owners": {"a": {"nominal": 2}, "b": {"nominal": 1}}}')
    line = ("simulate", "--trace", "philly", str(trace), "--gpus", "3", "--out", str(tmp_path / "out.html"))
    said = touyan(*line, "--policy", "shares", "--shares", str(shares), "--what-if", "policy=fifo", "--json")
    plans = json.loads(said.out)["plans"]
    assert [p["name"] for p in plans] == ["shares", "policy=fifo"]
    assert [k["late"] for k in plans[0]["kept"]] == [0, 0]
    assert "<svg" in (tmp_path / "out.html").read_text()
    assert "fifo" in touyan(*line).out
    assert touyan("simulate", "--trace", "helios", str(trace), "--gpus", "3").status == 2


@pytest.mark.slow
def test_the_published_completion_time_of_philly_is_reproduced() -> None:
    """12.860 h: 640 devices, first come first served, jobs of one second by duration."""
    path = Path(os.environ.get("TOUYAN_PHILLY", "philly_82247jobs.csv.gz"))
    if not path.is_file():
        pytest.skip("no Philly trace: set TOUYAN_PHILLY to its file")
    rows = [(j.ask.owner, j.ask.devices, j.ask.arrived_s, j.duration_s) for j in read_philly(path)]
    by_duration = in_order(sorted(rows, key=lambda row: (row[3], row[1])))
    assert round(figures(Plan(640).run(by_duration), 640).completion_mean_h, 3) == 12.860
