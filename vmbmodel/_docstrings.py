"""What the field table adds to the docstring of a formula.

A formula's source says what is particular: meaning, symbol, equation, validity,
source, example. Types, units, ranges, choices and shapes are known here, so that
under *Parameters*::

    service_h : length of every job, :math:`s`
        Breaks included.

becomes

    service_h : array_like of float
        Length of every job, :math:`s`; > 0 and finite. Breaks included. [h]

An argument left out has the text and the symbol of its row in ``fields.toml``, and so
has one whose entry begins with a capital: that is a sentence to add. *Returns* and
*Raises* hold what the source adds to what is true of every formula, if anything.
"""

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator

from vmbmodel.fields import Field, fields

__all__ = ["complete"]

ORDER = (
    "Parameters",
    "Returns",
    "Raises",
    "See Also",
    "Notes",
    "References",
    "Examples",
)
REFUSED = "If an argument lies outside its range above, or is NaN."

_NO_BREAK = "\N{NO-BREAK SPACE}"


def complete(
    kernel: Callable[..., object], along: str | None, over: tuple[str, ...]
) -> str | None:
    """Return a kernel's docstring with all that the field table knows."""
    if not kernel.__doc__:  # python -OO
        return None
    source = inspect.cleandoc(kernel.__doc__)
    intro, *rest = re.split(r"^(\S.*)\n-{3,}$", source, flags=re.M)
    sections = {
        title: text.strip("\n")
        for title, text in zip(rest[::2], rest[1::2], strict=True)
    }
    sections["Parameters"] = "\n".join(
        _parameters(kernel, along, over, sections.get("Parameters", ""))
    )
    result = fields()[kernel.__name__]
    sections["Returns"] = _returns(result, along, sections.get("Returns", ""))
    refused = _sentences(REFUSED, sections.get("Raises", ""))
    sections["Raises"] = _entry("ValueError", refused)
    titles = sorted(sections, key=ORDER.index)
    return "\n\n".join(
        [intro.strip("\n"), *(f"{t}\n{'-' * len(t)}\n{sections[t]}" for t in titles)]
    )


def _parameters(kernel, along, over, written) -> Iterator[str]:
    parts = re.split(r"^(\w+) : ", written, flags=re.M)
    told = dict(zip(parts[1::2], parts[2::2], strict=True))
    for name, parameter in inspect.signature(kernel).parameters.items():
        field, text = fields()[name], told.get(name, "").rstrip()
        kind = _type(field)
        if over and name == over[0]:
            kind += ", at least one-dimensional"
        if parameter.default is not parameter.empty:
            kind += f", default {parameter.default}"
        meaning, _, more = text.partition("\n")
        if not text or text[0].isupper():
            meaning, more = _meaning(field), text
        clauses = [_upper(meaning), _allowed(field)]
        if name in over:
            one = "" if name == over[0] else ", or one value for all"
            clauses.append(f"{along}s along the last axis{one}")
        elif over and field.kind == "number":
            clauses.append(f"of the shape of `{over[0]}` without its last axis")
        first = "; ".join(clauses)
        yield _entry(f"{name} : {kind}", _sentences(first, more), field.unit)


def _returns(field: Field, along: str | None, written: str) -> str:
    shape = "Of the broadcast shape of the arguments"
    if along:
        shape += f", {along}s along the last axis"
    if field.range.high < float("inf"):
        shape += f", in {field.range}"
    particular = " ".join(written.split())
    if particular and not particular[0].isupper():
        text = _sentences(f"{shape}; {particular}")
    else:
        text = _sentences(shape, particular)
    return _entry(_type(field), text, field.unit)


def _meaning(field: Field) -> str:
    text = field.text.rstrip(".")
    return f"{text}, :math:`{field.symbol}`" if field.symbol else text


def _type(field: Field) -> str:
    if field.kind == "choice":
        return "str"
    return f"array_like of {'int' if field.whole else 'float'}"


def _allowed(field: Field) -> str:
    if field.kind == "choice":
        *others, last = (f"``{choice}``" for choice in field.choices)
        return f"{', '.join(others)} or {last}"
    return field.range.rule


def _sentences(*texts: str) -> str:
    """Join texts that may lack their full stop, or be empty."""
    return " ".join(f"{_upper(text.strip()).rstrip('.')}." for text in texts if text)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _entry(head: str, text: str, unit: str | None = None) -> str:
    unit = f" [{unit.replace(' ', _NO_BREAK)}]" if unit else ""
    body = textwrap.fill(
        " ".join(text.split()) + unit,
        width=79,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"{head}\n{body.replace(_NO_BREAK, ' ')}"
