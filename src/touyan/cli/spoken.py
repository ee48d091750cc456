"""Help pages in the user's language, and verbs that are read and built when they are called.

A verb's help is its docstring, taken through gettext; it is extracted with the other texts (`make locale`). Reading every verb costs
90 ms of CPU before the first word and building them 70, so the program knows a name and a sentence of each and no more.
Invariant: no sentence of a help page is cut.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup
from typer.models import CommandInfo, TyperInfo

from touyan.cli.words import _


@dataclass(frozen=True, slots=True)
class Unread:
    """A verb whose file is read when it is called."""

    file: str
    """Name of the module in `touyan.cli`; its `add_to` declares the verb."""
    summary: str


Known: TypeAlias = CommandInfo | TyperInfo | Unread


class _Spoken:
    """What Typer says in English only: the usage line and its help option."""

    collect_usage_pieces: Callable[[Any], list[str]]

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix=_("Usage: "))

    def get_help_option(self, ctx: Any) -> Any:
        option: Any = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.help = _("Show this message and end.")
            option.default = False  # without one, Typer imports pydantic to make a bool of nothing: 0.15 s of CPU
        return option


class Verb(_Spoken, TyperCommand):
    """A command."""


class Verbs(_Spoken, TyperGroup):
    """A group of commands, listed in the order of their declaration."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, _summary(info)) for name, info in self.commands.known.items()])  # type: ignore[attr-defined]


class Unbuilt(Mapping[str, Any]):
    """The commands of an application by name; each is built when it is asked for."""

    def __init__(self, known: Mapping[str, Known]) -> None:
        self.known = known
        self._built: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._built:
            self._built[name] = _build(name, self.known[name])
        return self._built[name]

    def __contains__(self, name: object) -> bool:
        return name in self.known

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)


def assemble(app: typer.Typer, unread: Mapping[str, Unread] | None = None) -> Verbs:
    """The command of an application, its verbs still unbuilt: those that it declares, or those whose files are still unread."""
    commands = Unbuilt(unread or _declared(app))
    app.registered_commands, app.registered_groups = [], []
    app.info.cls, app.rich_markup_mode = Verbs, None
    group: Any = typer.main.get_group(app)
    group.commands = commands
    return group


def _declared(app: typer.Typer) -> dict[str, Known]:
    return {_name(c): c for c in app.registered_commands} | {str(g.name): g for g in app.registered_groups}


def _build(name: str, info: Known) -> Any:
    if isinstance(info, Unread):
        declaring = typer.Typer()
        importlib.import_module(f"touyan.cli.{info.file}").add_to(declaring)
        info = _declared(declaring)[name]
    if isinstance(info, TyperInfo):
        assert info.typer_instance is not None, "a group stands for an application"
        return assemble(info.typer_instance)
    info.cls, info.help = Verb, _help(info)
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.registered_commands.append(info)
    return typer.main.get_command(alone)


def _name(info: CommandInfo) -> str:
    return info.name or str(getattr(info.callback, "__name__", "")).replace("_", "-")


def _help(info: Known) -> str:
    if isinstance(info, Unread):
        return info.summary
    if isinstance(info, TyperInfo):
        return str(info.typer_instance.info.help) if info.typer_instance else ""
    return info.help or _(inspect.cleandoc(getattr(info.callback, "__doc__", None) or ""))


def _summary(info: Known) -> str:
    """The first paragraph."""
    return _help(info).partition("\n\n")[0].replace("\n", " ")
