"""`touyan demo`: the whole ring on Chinese laws, from the registry package to a request that the served model answers.

The review is done by a party that is marked as a demonstration; so the permit says `demo: true`, and only
`touyan serve --demo` on a loopback address accepts it. Running it again is quick: every step is a hit.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from touyan.cli.output import print_table, say
from touyan.cli.run import turn_of
from touyan.cli.serve import RUNNING_FILE, end, running
from touyan.cli.session import HomeOption, Session, session
from touyan.cli.words import _, example
from touyan.core.canonical import short
from touyan.core.errors import Broken, Missing

if TYPE_CHECKING:
    from touyan.ring import Turn

REVIEWER = "demo-reviewer"
PROMPT = "为了保护公民的合法权益，"
START_S = 120
SERVE_MINUTES = 60


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan demo"))
    def demo(
        home: HomeOption = None,
        flow: Annotated[Path | None, typer.Option(help=_("Another flow file."))] = None,
        port: Annotated[int, typer.Option(help=_("Port of the service; 0 takes a free one."))] = 0,
        keep: Annotated[bool, typer.Option(help=_("Leave the service running for an hour; not in CI."))] = not os.environ.get(
            "CI"
        ),
    ) -> None:
        """Run the whole ring on real input, review it as a demonstration, serve the model and ask it something."""
        path = flow or _example()
        with session(home, create=True) as opened:
            turn = turn_of(opened, path)
            if turn.waits_for == "review":
                _review(opened, str((turn.run.review or {})["id"]))
                turn = turn_of(opened, path)
            _tell(opened, turn)
            _ask(opened, turn, port, keep)


def _example() -> Path:
    """The example's flow file: beside this package where it is installed, in the checkout where it is developed."""
    package = Path(__file__).parents[1]
    for folder in (package / "examples", package.parents[1] / "examples"):
        if (folder / "laws" / "flow.yaml").is_file():
            return folder / "laws" / "flow.yaml"
    raise Missing("no-example", "the example flow is not installed", "reinstall touyan, or give --flow")


def _review(opened: Session, review: str) -> None:
    """A demonstration of a review: another party than the submitter looks and votes."""
    store = opened.store
    if not any(p.name == REVIEWER for p in store.parties.list()):
        store.parties.enrol(opened.actor, REVIEWER, "person", ["reviewer"], is_demo=True)
    reviewer = store.me(REVIEWER, opened.actor.project)
    store.reviews.vote(reviewer, review, "approve", "a demonstration: nobody has looked")
    say(
        _("Reviewed by {party}, as: touyan review {id} --approve --as {party}").format(party=REVIEWER, id=short(review)),
        stderr=True,
    )


def _tell(opened: Session, turn: Turn) -> None:
    """Ids, the measured table and the report."""
    evaluation = turn.run.asset("evaluation")
    metrics: dict[str, Any] = json.loads(opened.store.gate.open(evaluation, opened.actor, "inspect").read_file("metrics.json"))
    rows = [
        (m["task"], m["model"], f"{m['value']:.3f}", f"{m['low']:.3f} – {m['high']:.3f}", m["unit"], f"{m['n']:,}")
        for m in metrics["metrics"]
    ]
    say("")
    print_table([_("task"), _("model"), _("value"), _("95 % interval"), _("unit"), "n"], rows, "")
    for winner in metrics["winner"].values():
        say(f"  {winner['statement']}")
    say("")
    say(f"{_('Model'):<10} {turn.run.served_model}")
    say(f"{_('Permit'):<10} {(turn.run.permit or {}).get('number', '')}  (demo: true)")
    say(f"{_('Report'):<10} {turn.report}")


def _ask(opened: Session, turn: Turn, port: int, keep: bool) -> None:
    """Starts the service, asks it what the printed line asks, and leaves it running where that is wanted."""
    service = turn.run.flow.file.service
    if service is None:
        return
    file, key = opened.store.home / RUNNING_FILE, _key(opened)
    url = _started(opened, service.name, file, port)
    body = json.dumps({"model": service.name, "prompt": PROMPT, "max_tokens": 60}, ensure_ascii=False)
    say(f"{_('Answer'):<10} {PROMPT}{_answer(url, key, body)}")
    if keep:
        say(_("It serves for an hour at {url}. Ask it yourself:").format(url=url))
    else:
        end(file)
        say(_("Serve it again: touyan serve {name} --demo. Ask it:").format(name=service.name))
    say(f"  curl {url}/v1/completions -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -d '{body}'")
    if keep:
        say(_("Stop it: touyan serve --stop --home {home}").format(home=opened.store.home))


def _key(opened: Session) -> str:
    """An API key for the demonstration, kept beside the store's own keys."""
    file = opened.store.home / "keys" / "demo-api-key.secret"
    if not file.exists():
        _made, secret = opened.store.api_keys.create(opened.actor, label="demo", terms="demo")
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secret)
    return file.read_text()


def _started(opened: Session, service: str, file: Path, port: int) -> str:
    """The address of the running service, started where it does not run yet."""
    import subprocess

    if found := running(file):
        return found[1]
    opened.store.events.sequence()
    log = opened.store.home / "serve.log"
    command = [sys.executable, "-m", "touyan.cli.main", "serve", service, "--demo", "--port", str(port),
               "--home", str(opened.store.home),
               "--minutes", str(SERVE_MINUTES)]  # fmt: skip
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        if found := running(file):
            return found[1]
        time.sleep(0.1)
    raise Broken("not-started", f"the service did not start: {log.read_text()[-500:]}", f"see {log}")


def _answer(url: str, key: str, body: str) -> str:
    import httpx

    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    answer = httpx.post(f"{url}/v1/completions", content=body.encode(), headers=headers, timeout=60, trust_env=False).json()
    if "error" in answer:
        raise Broken("no-answer", f"the service answered: {answer['error'].get('message', answer)}", "see: touyan log")
    return str(answer["choices"][0]["text"])
