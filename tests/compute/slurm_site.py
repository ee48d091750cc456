"""A real Slurm on one host, for tests: two nodes, one with `gpu:a800:4`, one with `gpu:ascend910b:4`, accounting and REST.

Needs root and the Debian packages `PACKAGES`; no systemd, everything on loopback, all state in one folder. Every daemon runs in the
foreground and is ended with the process that started it, so that nothing outlives a test that was killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from touyan.compute.processes import send, with_environment

PACKAGES = "slurm-wlm slurm-wlm-jwt-plugin slurm-wlm-mysql-plugin slurmrestd slurmdbd munge mariadb-server"
PROGRAMS = ("munged", "mariadbd", "mariadb-install-db", "slurmdbd", "slurmctld", "slurmd", "slurmrestd", "sbatch")
PATIENCE_S = 60.0
GRES = {"n1": "a800", "n2": "ascend910b"}
ACCOUNTS = {"lab-a": "games", "lab-b": "news"}
"""Two Slurm accounts, each with a user of its own: users that every Debian has (base-passwd)."""


def what_is_missing() -> str:
    """Why no Slurm can be started here; empty where it can."""
    if os.getuid() != 0:
        return "a Slurm site of its own needs root"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    absent = [p for p in PROGRAMS if shutil.which(p, path=path) is None]
    return f"not installed: {', '.join(absent)}; apt-get install {PACKAGES}" if absent else ""


@dataclass(slots=True)
class SlurmSite:
    """A context manager: inside it the cluster is up."""

    root: Path
    cluster: str = "site-a"
    _daemons: list[tuple[str, subprocess.Popen[bytes]]] = field(default_factory=list)
    _ports: dict[str, int] = field(default_factory=dict)

    @property
    def conf(self) -> Path:
        return self.root / "slurm.conf"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._ports['rest']}"

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "SLURM_CONF": str(self.conf), "PATH": f"{os.environ['PATH']}:/usr/sbin"}

    def __enter__(self) -> Self:
        try:
            self._configure()
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def run(self, *command: str, check: bool = True) -> str:
        """What a client command prints."""
        done = subprocess.run(command, env=self.environment, cwd=self.root, capture_output=True, text=True, timeout=30)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}{done.stdout}")
        return done.stdout

    def halt(self, name: str) -> None:
        """Ends one daemon, as for maintenance. A slurmctld that is killed forgets its last seconds, and drains nodes for it."""
        for found, process in self._daemons:
            if found == name:
                process.terminate()
                process.wait(30)
        self._daemons = [d for d in self._daemons if d[0] != name]

    def start(self, name: str) -> None:
        """Starts a daemon again."""
        self._spawn(name, *self._commands()[name])

    def forget_jobs(self) -> None:
        """Has slurmctld lose the jobs it remembers, as it does some minutes after their end: it starts with an empty state."""
        await_true(lambda: self.run("squeue", "-h", check=False) == "", "no job runs")
        self.halt("slurmctld")
        for file in (self.root / "ctld").glob("job_state*"):
            file.unlink()
        self.start("slurmctld")
        self.await_nodes()

    def await_nodes(self) -> None:
        """Waits until both nodes take work."""
        await_true(
            lambda: self.run("sinfo", "-h", "-N", "-o", "%t", check=False).split().count("idle") >= len(GRES), "nodes idle"
        )

    def stop(self) -> None:
        """Ends the cluster and everything it runs."""
        for _, process in reversed(self._daemons):
            process.send_signal(signal.SIGTERM)
        for _, process in reversed(self._daemons):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._daemons.clear()
        for pid in with_environment(f"SLURM_CONF={self.conf}"):
            send(pid, signal.SIGKILL)

    def _spawn(self, name: str, *command: str, **environment: str) -> None:
        # a daemon that changes its user itself would lose the signal (prctl(2), PR_SET_PDEATHSIG)
        user = ["--reuid=mysql", "--regid=mysql", "--clear-groups"] if name == "mariadbd" else []
        with (self.root / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                ["setpriv", *user, "--pdeathsig", "TERM", *command], env=self.environment | environment, cwd=self.root,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._daemons.append((name, process))

    def _commands(self) -> dict[str, tuple[str, ...]]:
        mysql, conf = self.root / "mysql", str(self.conf)
        return {
            "munged": (
                "munged", "--foreground", "--force", f"--key-file={self.root}/munge.key", f"--socket={self.root}/munge.sock",
                f"--pid-file={self.root}/munged.pid", f"--log-file={self.root}/munged.log", f"--seed-file={self.root}/munge.seed",
            ),
            "mariadbd": (
                "mariadbd", "--no-defaults", f"--datadir={mysql}", f"--socket={mysql}/s.sock",
                "--skip-networking=0", "--bind-address=127.0.0.1", f"--port={self._ports['mysql']}",
                f"--pid-file={mysql}/pid", "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M",
            ),
            "slurmdbd": ("slurmdbd", "-D"),
            "slurmctld": ("slurmctld", "-D", "-f", conf),
            "n1": ("slurmd", "-D", "-N", "n1", "-f", conf),
            "n2": ("slurmd", "-D", "-N", "n2", "-f", conf),
            "slurmrestd": ("slurmrestd", "-f", conf, "-a", "rest_auth/jwt", f"127.0.0.1:{self._ports['rest']}"),
        }  # fmt: skip

    def _start(self) -> None:
        self.start("munged")
        await_true((self.root / "munge.sock").exists, "munge")
        self._start_database()
        self.start("slurmdbd")
        self._enrol()
        for name in ("slurmctld", *GRES):
            self.start(name)
        self.await_nodes()
        rest = {"SLURMRESTD_SECURITY": "disable_user_check", "SLURM_JWT": "daemon"}
        self._spawn("slurmrestd", *self._commands()["slurmrestd"], **rest)
        await_true(lambda: _answers(self._ports["rest"]), "slurmrestd")

    def _start_database(self) -> None:
        data = self.root / "mysql"
        data.mkdir()
        shutil.chown(data, "mysql", "mysql")
        install = ["mariadb-install-db", "--no-defaults", "--user=mysql", f"--datadir={data}", "--skip-test-db"]
        subprocess.run(install, check=True, capture_output=True)
        self.start("mariadbd")
        client = ["mariadb", "--no-defaults", f"--socket={data}/s.sock", "-e"]
        grant = "create database acct; create user 'slurm'@'%' identified by 'slurm'; grant all on acct.* to 'slurm'@'%'"
        await_true(lambda: subprocess.run([*client, "select 1"], capture_output=True).returncode == 0, "mariadb")
        subprocess.run([*client, grant], check=True, capture_output=True)

    def _enrol(self) -> None:
        """The cluster, its accounts, and their users; root may charge both."""
        await_true(lambda: subprocess.run(
            ["sacctmgr", "-i", "add", "cluster", self.cluster], env=self.environment, capture_output=True, timeout=30
        ).returncode == 0, "slurmdbd")  # fmt: skip
        for account, user in ACCOUNTS.items():
            self.run("sacctmgr", "-i", "add", "account", account, f"cluster={self.cluster}")
            for one in (user, "root"):
                self.run("sacctmgr", "-i", "add", "user", one, f"account={account}", f"cluster={self.cluster}")

    def _configure(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o755)
        self._ports = dict(zip(("ctld", "dbd", "mysql", "rest", "n1", "n2"), free_ports(6), strict=True))
        for name, size, mode in (("munge.key", 128, 0o400), ("jwt.key", 32, 0o600)):
            (self.root / name).write_bytes(os.urandom(size))
            (self.root / name).chmod(mode)
        for node in GRES:
            for number in range(4):  # Slurm takes character devices only; further copies of /dev/null do
                os.mknod(self.root / f"{node}-{number}", 0o20666, os.makedev(1, 3))
        (self.root / "ctld").mkdir()
        self.conf.write_text(_slurm_conf(self.root, self.cluster, self._ports))
        gres = (f"NodeName={n} Name=gpu Type={model} File={self.root}/{n}-[0-3]" for n, model in GRES.items())
        (self.root / "gres.conf").write_text("\n".join([*gres, ""]))
        (self.root / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")
        (self.root / "slurmdbd.conf").write_text(_slurmdbd_conf(self.root, self._ports))
        (self.root / "slurmdbd.conf").chmod(0o600)


@contextmanager
def open_site(cluster: str) -> Iterator[SlurmSite]:
    """A site in a folder of its own, which other users may enter (pytest's own folders are closed to them)."""
    with TemporaryDirectory(prefix=f"touyan-{cluster}-") as root, SlurmSite(Path(root), cluster) as site:
        yield site


def _slurm_conf(root: Path, cluster: str, ports: Mapping[str, int]) -> str:
    host = socket.gethostname().split(".")[0]
    nodes = [
        f"NodeName={n} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[n]} CPUs=16 Boards=1 SocketsPerBoard=1 CoresPerSocket=16"
        f" ThreadsPerCore=1 RealMemory=65536 Gres=gpu:{model}:4 State=UNKNOWN"
        for n, model in GRES.items()
    ]
    return "\n".join([
        f"ClusterName={cluster}", f"SlurmctldHost={host}(127.0.0.1)", f"SlurmctldPort={ports['ctld']}", "MailProg=/bin/true",
        "SlurmUser=root", "SlurmdUser=root", "AuthType=auth/munge", f"AuthInfo=socket={root}/munge.sock",
        "AuthAltTypes=auth/jwt", f"AuthAltParameters=jwt_key={root}/jwt.key", "CredType=cred/munge", "MpiDefault=none",
        "ProctrackType=proctrack/linuxproc", "TaskPlugin=task/none", "JobAcctGatherType=jobacct_gather/linux",
        "JobAcctGatherFrequency=2", "SelectType=select/cons_tres", "SelectTypeParameters=CR_Core_Memory",
        "SchedulerType=sched/backfill", "SchedulerParameters=bf_interval=2,sched_interval=2,sched_min_interval=0",
        "GresTypes=gpu", "SlurmdParameters=config_overrides",  # a node may claim more CPUs than the host has
        "ReturnToService=2", "SlurmctldTimeout=60", "SlurmdTimeout=60", "InactiveLimit=0", "MinJobAge=300", "KillWait=3",
        f"StateSaveLocation={root}/ctld", f"SlurmdSpoolDir={root}/slurmd-%n", f"SlurmctldPidFile={root}/slurmctld.pid",
        f"SlurmdPidFile={root}/slurmd-%n.pid", f"SlurmctldLogFile={root}/slurmctld.log", f"SlurmdLogFile={root}/slurmd-%n.log",
        "AccountingStorageType=accounting_storage/slurmdbd", "AccountingStorageHost=127.0.0.1",
        f"AccountingStoragePort={ports['dbd']}", f"AccountingStoragePass={root}/munge.sock",
        "AccountingStorageEnforce=associations,limits,qos", "AccountingStorageTRES=gres/gpu,gres/gpu:a800,gres/gpu:ascend910b",
        *nodes, "PartitionName=main Nodes=ALL Default=YES MaxTime=1-0 State=UP", "",
    ])  # fmt: skip


def _slurmdbd_conf(root: Path, ports: Mapping[str, int]) -> str:
    return "\n".join([
        "AuthType=auth/munge", f"AuthInfo=socket={root}/munge.sock", "AuthAltTypes=auth/jwt",
        f"AuthAltParameters=jwt_key={root}/jwt.key", "DbdHost=localhost", "DbdAddr=127.0.0.1", f"DbdPort={ports['dbd']}",
        "SlurmUser=root", "StorageType=accounting_storage/mysql", "StorageHost=127.0.0.1", f"StoragePort={ports['mysql']}",
        "StorageUser=slurm", "StoragePass=slurm", "StorageLoc=acct", f"LogFile={root}/slurmdbd.log",
        f"PidFile={root}/slurmdbd.pid", "",
    ])  # fmt: skip


def free_ports(n: int) -> list[int]:
    """Ports of loopback that are free now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for one in sockets:
        one.close()
    return ports


def await_true(condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Waits on a condition; TimeoutError names it."""
    until_s = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > until_s:
            raise TimeoutError(f"waited {patience_s:g} s for: {what}")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
