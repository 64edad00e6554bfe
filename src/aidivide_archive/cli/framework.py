"""What every command shares: the choice of the archive, help with an example and exit codes, errors in one line."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aidivide_archive.cli.terminal import note, safe
from aidivide_archive.exceptions import ArchiveError, MissingArchiveError, OptionsError

if TYPE_CHECKING:
    from aidivide_archive.archive.storage.location import Location

F = TypeVar("F", bound=Callable[..., Any])

EXIT_CODES = {
    0: "done",
    1: "failed",
    2: "usage or configuration",
    3: "finished, but part failed",
    130: "interrupted",
}
"""The only exit codes there are; scripts rely on them (docs/commands.md)."""

DEMO_DIRECTORY = "demo-archive"
IN_REFERENCE = "aidivide_archive.reference"
"""Key in `click.Context.meta`: the help is for docs/commands.md, which must not depend on what is installed."""


@dataclass
class State:
    """The options that every command takes, before or after its name."""

    archive: str | None = None
    database: str | None = None
    debug: bool = False

    def location(self) -> Location:
        from aidivide_archive.archive.storage.location import Location

        return Location.resolve(self.archive, self.database)


pass_state = click.make_pass_decorator(State, ensure=True)


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value:  # the option nearest to the end wins; one that is not given changes nothing
        setattr(context.find_root().ensure_object(State), str(parameter.name), value)


def _shared_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--archive"],
            metavar="DIR",
            help="Directory of the archive (AIDIVIDE_ARCHIVE, else ./archive).",
            expose_value=False,
            callback=_remember,
        ),
        click.Option(
            ["--database"],
            metavar="URL",
            help="PostgreSQL that holds the rows (AIDIVIDE_DATABASE_URL, else SQLite in DIR).",
            expose_value=False,
            callback=_remember,
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            help="Show the traceback of an error.",
            expose_value=False,
            callback=_remember,
        ),
    ]


class DocumentedCommand(click.Command):
    """A command whose help ends with one runnable example and its exit codes."""

    def __init__(
        self,
        *args: Any,
        example: str,
        exits: Sequence[int] = (0, 1, 2),
        place: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.place = place
        self.example = example
        self.exits = tuple(sorted({*exits, 0, 2}))
        self.notes: tuple[str, ...] = ()
        """Lines of its help that are too many for a sentence, under "Notes"."""
        self.choices: tuple[str, Callable[[], Sequence[tuple[str, str]]]] | None = None
        """Title and rows (name, meaning) of a list that help shows as it is when asked, such as the export formats."""
        self.params.extend(_shared_options())

    def invoke(self, ctx: click.Context) -> Any:
        """Options that the library refuses are usage errors, like those that click refuses."""
        try:
            return super().invoke(ctx)
        except OptionsError as error:
            raise click.UsageError(str(error), ctx) from None

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.choices is not None:
            title, rows = self.choices
            with formatter.section(title):
                if ctx.meta.get(IN_REFERENCE):
                    formatter.write_text(f"`{ctx.command_path} --help` lists them.")
                else:
                    formatter.write_dl(rows())
        if self.notes:
            with formatter.section("Notes"):
                formatter.write("".join(f"  {line}\n" for line in self.notes))
        with formatter.section("Example"):
            for line in self.example.splitlines():
                formatter.write_text(line)
        with formatter.section("Exit codes"):
            formatter.write_text(" · ".join(f"{code} {EXIT_CODES[code]}" for code in self.exits))


class CommandGroup(click.Group):
    """A group of commands that takes the shared options as well."""

    def __init__(self, *args: Any, place: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = place
        self.params.extend(_shared_options())

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.commands)  # in the order of a first visit, not of the alphabet


def command(
    name: str, *, example: str, exits: Sequence[int] = (0, 1, 2), place: int | None = None
) -> Callable[[F], DocumentedCommand]:
    """Make a function a command; its docstring is the help: one sentence.

    `place`: where it stands among the commands of `aidivide`, which is all that makes it one of them; None: it belongs
    to a group.
    """
    # click keeps the option from a command's first use, which may be without the program round it
    names = {"help_option_names": ["-h", "--help"]}
    return click.command(
        name,
        cls=DocumentedCommand,
        example=example,
        exits=exits,
        place=place,
        context_settings=names,
    )


json_option = click.option(
    "--json", "as_json", is_flag=True, help='Print {"schema": 1, "items": […]}.'
)
wait_option = click.option("--wait", is_flag=True, help="Wait while another process is writing.")


class Program(CommandGroup):
    """The root: turns every end into one line and an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,  # noqa: ARG002  # always "aidivide", however it was started
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        if not standalone_mode or "_AIDIVIDE_COMPLETE" in os.environ:
            return super().main(
                args=args,
                prog_name="aidivide",
                complete_var=complete_var,
                standalone_mode=standalone_mode,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        sys.exit(self._run(list(sys.argv[1:] if args is None else args), extra))

    def _run(self, args: list[str], extra: dict[str, Any]) -> int:
        state = State()
        try:
            with self.make_context("aidivide", args, obj=state, **extra) as context:
                self.invoke(context)
            sys.stdout.flush()
        except click.exceptions.Exit as end:
            return end.exit_code
        except (KeyboardInterrupt, click.Abort):
            note("interrupted: what was stored is safe; repeat the command to go on")
            return 130
        except Exception as error:  # noqa: BLE001  # the last door: no traceback without --debug
            forgotten = isinstance(error, MissingArchiveError) and state.archive is None
            hint = _demo_hint() if forgotten else ""
            return _told(error, debug=state.debug or "--debug" in args, hint=hint)
        return 0


def _told(error: Exception, *, debug: bool, hint: str = "") -> int:
    """Say what went wrong in one line and return the exit code. `hint` ends the line of an ArchiveError."""
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        _forget_stdout()
        return 0
    if debug:
        traceback.print_exception(error)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        note(error.format_message())
        return error.exit_code
    if isinstance(error, click.ClickException):
        note(f"error: {_click_words(error)}")
        return error.exit_code
    if isinstance(error, ArchiveError):
        note(f"error: {safe(str(error))}{hint}")
        return error.exit_code
    if isinstance(error, OSError) and error.strerror:  # a full disk, a file without permission
        where = f" ({safe(error.filename)})" if error.filename else ""
        note(f"error: {error.strerror}{where}")
        return 1
    words = safe(f"{type(error).__name__}: {error}")[:300]
    note(f"error: a fault of this program: {words} (add --debug for the traceback)")
    return 1


def _demo_hint() -> str:
    """For whoever has just run the demo and forgot to name its archive."""
    there = Path(DEMO_DIRECTORY).is_dir()
    return f"; the demo's is here: --archive {DEMO_DIRECTORY}" if there else ""


def _click_words(error: click.ClickException) -> str:
    words = safe(error.format_message())
    words = words[:1].lower() + words[1:]
    context = getattr(error, "ctx", None)
    if context is None:
        return words
    return f"{words}{'' if words.endswith(('.', '?', ')')) else '.'} See `{context.command_path} --help`"


def _forget_stdout() -> None:
    """The reader of our output went away: say no more, not even when the interpreter ends."""
    try:
        handle = os.open(os.devnull, os.O_WRONLY)
        os.dup2(handle, sys.stdout.fileno())
        os.close(handle)
    except (OSError, ValueError, AttributeError):
        return
