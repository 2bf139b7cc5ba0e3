"""What `--help` of every verb has to show."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from rpkival.cli.main import app


def verbs(command: object, name: str) -> Iterator[tuple[str, TyperCommand]]:
    """Those that do something, by all their words."""
    if isinstance(command, TyperCommand):
        yield name, command
    elif isinstance(command, TyperGroup):
        for word, inner in command.commands.items():
            yield from verbs(inner, f"{name} {word}")


VERBS = dict(verbs(typer.main.get_command(app), "rpkival"))


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_says_what_its_options_take(name: str) -> None:
    """A word for it, or the choices; a type of Python's is neither."""
    command = VERBS[name]
    context = command.make_context(name, [], resilient_parsing=True)
    for option in command.params:
        assert option.make_metavar(context) not in {"<str>", "<int>", "<float>", "<path>", "TEXT", "INTEGER", "PATH"}


@pytest.mark.parametrize("name", VERBS)
def test_the_help_of_a_verb_is_broken_at_the_width_of_the_terminal(name: str) -> None:
    """And nowhere else: typer keeps the ends of lines it finds."""
    assert all("\n" not in paragraph for paragraph in (VERBS[name].help or "").split("\n\n"))


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_has_an_example(name: str) -> None:
    """Which begins with the verb itself."""
    assert f"Example: {name}" in (VERBS[name].help or "")
