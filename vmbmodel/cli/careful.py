"""A command that takes an option once, and keeps what it reads."""

import os
from collections.abc import Iterable, Iterator

from typer.core import TyperCommand

from vmbmodel._words import first_lines
from vmbmodel.cli.remarks import bad_input

__all__ = ["CarefulCommand"]

_WRITTEN = ("output", "fleet_out", "figure")
"""Parameters that name what a command writes."""


class CarefulCommand(TyperCommand):
    """A command of the program: of two values for one option, neither is dropped."""

    def parse_args(self, ctx, args: list[str]) -> list[str]:
        """Refuse an option that is given twice, unless it collects or is a flag."""
        if not ctx.resilient_parsing:  # as completion does
            *_, given = self.make_parser(ctx).parse_args(list(args))
            options = (p for p in self.params if p.param_type_name == "option")
            for param in options:
                several = param.multiple or param.is_flag
                if not several and sum(other is param for other in given) > 1:
                    ctx.fail(f"{max(param.opts, key=len)} is given twice")
        return super().parse_args(ctx, args)

    def invoke(self, ctx) -> object:
        """Refuse to write over what is read, whatever is forced."""
        written = [ctx.params[name] for name in _WRITTEN if ctx.params.get(name)]
        others = [value for name, value in ctx.params.items() if name not in _WRITTEN]
        wrong = [
            f"{path}: exists, and is read here; name another file"
            for path in written
            if any(_is_same(path, text) for text in _texts(others))
        ]
        with bad_input(self.name):
            if wrong:
                raise ValueError(first_lines(wrong))
        return super().invoke(ctx)


def _texts(values: Iterable[object]) -> Iterator[str | os.PathLike[str]]:
    """Give all that may name a file; what is no file is no trouble."""
    for value in values:
        if isinstance(value, list | tuple):
            yield from _texts(value)
        elif isinstance(value, str | os.PathLike):
            yield value


def _is_same(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    try:
        return os.path.samefile(*map(os.path.realpath, (one, other)))
    except (OSError, ValueError):  # there is none of this name
        return False
