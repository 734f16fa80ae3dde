"""How does a group of words teach when a word is wrong?"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from flagstaff.errors import UsageError
from flagstaff.flags.percentage import parse_percentage

HELP_NAMES = ("-h", "--help")
SETTINGS: Final[dict[str, Any]] = {"help_option_names": list(HELP_NAMES), "max_content_width": 100}
_LIKELY = 0.7
_NEGATIVE = re.compile(r"-\.?[0-9].*")


class Tree(click.Group):
    """A group whose unknown commands are answered with the near one, or with all there are."""

    def with_commands(self, commands: Mapping[str, click.Command]) -> Tree:
        """Return the same group with some commands more, or others in their place."""
        return Tree(
            self.name,
            commands={**self.commands, **commands},
            context_settings=SETTINGS,
            help=self.help,
            short_help=self.short_help,
            epilog=self.epilog,
        )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first word names.

        Raises:
            UsageError: there is none of that name.
        """
        word = args[0]
        if self.get_command(ctx, word) is None:
            place = f"{ctx.command_path} {word}".strip()
            names = self.list_commands(ctx)
            near = nearest(word, names)
            raise UsageError(
                f"`{place}` is no command",
                hint=f"did you mean `{near}`?" if near else f"there are: {', '.join(names)}",
            )
        return super().resolve_command(ctx, args)


def explained(error: click.ClickException, words: Sequence[str] = ()) -> UsageError:
    """Return what Click found wrong as our own error, naming the place and the remedy."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    place = context.command_path.strip() if context is not None else ""
    usage = context.get_usage().removeprefix("Usage:").strip() if context is not None else ""
    where = f"`{place}`: " if place else ""
    match error:
        case click.NoSuchOption():
            return _unknown_option(error, words, where)
        case click.MissingParameter(param=param) if param is not None:
            name = param.opts[0] if isinstance(param, click.Option) else param.make_metavar(context)  # type: ignore[arg-type]
            return UsageError(f"{where}{name} is missing", hint=f"write `{usage}`")
        case click.BadParameter():
            return UsageError(f"{where}{error.format_message()}", hint=f"write `{usage}`")
        case click.UsageError() if context is not None and isinstance(context.command, Tree):
            names = context.command.list_commands(context)
            what = f"`{place}` needs a subcommand" if place else "there is no command"
            return UsageError(what, hint=f"there are: {', '.join(names)}")
        case click.BadOptionUsage(option_name=option):
            given = any(word.startswith(f"{option}=") for word in words)
            remedy = f"write `{option}` alone" if given else f"write `{option} …` with its value"
            return UsageError(error.format_message(), hint=remedy)
        case _:
            hint = f"write `{usage}`; put a text of several words in quotes" if usage else ""
            return UsageError(f"{where}{error.format_message()}", hint=hint)


def _unknown_option(error: click.NoSuchOption, words: Sequence[str], where: str) -> UsageError:
    for word in words:
        if _NEGATIVE.fullmatch(word) and word.startswith(error.option_name):
            try:
                parse_percentage(word)
            except UsageError as wrong:
                return UsageError(f"{where}{wrong.message}", hint=wrong.hint)
    offered = _options(error.ctx)
    option = error.option_name
    near = _begun(option, offered) or nearest(option, offered)
    return UsageError(
        f"{where}there is no option `{option}`",
        hint=f"did you mean `{near}`?" if near else f"there are: {', '.join(offered)}",
    )


def nearest(word: str, names: Sequence[str]) -> str:
    """Return the name that was probably meant, or an empty text."""
    by_spelling = {name.replace("-", "_"): name for name in names}
    likely = word.lower().replace("-", "_")
    near = difflib.get_close_matches(likely, by_spelling, n=1, cutoff=_LIKELY)
    return by_spelling[near[0]] if near else ""


def _begun(option: str, offered: Sequence[str]) -> str:
    """Return the only option that goes on as `option` begins, or an empty text."""
    longer = [each for each in offered if each.startswith(option)]
    return longer[0] if len(longer) == 1 else ""


def _options(context: click.Context | None) -> list[str]:
    if context is None:
        return []
    return [
        name
        for param in context.command.get_params(context)
        if isinstance(param, click.Option)
        for name in param.opts
        if name.startswith("--")
    ]
