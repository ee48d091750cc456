"""Help pages in the user's language: docstrings of verbs, headings and the list of verbs.

A verb's help is its docstring, taken through gettext when the application is assembled; it is extracted with the other texts
(`make locale`). Knows nothing of what a verb does. Invariant: no sentence of a help page is cut short.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from touyan.cli.words import _

if TYPE_CHECKING:
    from collections.abc import Callable


class _Spoken:
    """What Typer says in English only: the usage line, its help option, and summaries that it cuts to fit."""

    help: str | None
    collect_usage_pieces: Callable[[Any], list[str]]

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix=_("Usage: "))

    def get_help_option(self, ctx: Any) -> Any:
        option: Any = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.help = _("Show this message and end.")
        return option

    def get_short_help_str(self, limit: int = 45) -> str:
        return (self.help or "").partition("\n\n")[0].replace("\n", " ")


class Verb(_Spoken, TyperCommand):
    """A command."""


class Verbs(_Spoken, TyperGroup):
    """A group of commands, listed in the order of their declaration."""


def speak(app: typer.Typer) -> None:
    """Gives every command and group below `app` its help in the user's language."""
    for command in app.registered_commands:
        command.cls = Verb
        command.help = command.help or _(inspect.cleandoc(command.callback.__doc__ or "")) if command.callback else ""
    for group in app.registered_groups:
        group.cls = Verbs
        if group.typer_instance is not None:
            speak(group.typer_instance)
