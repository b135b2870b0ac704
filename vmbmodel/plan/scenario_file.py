"""Scenario files: what ``--set`` can change, and the names of the sets, as TOML.

Every key is flat. ``profile``, ``prices`` and ``limits`` name a set of constants, or
a file of one that ends in ``.toml``, found from the folder of the scenario; every
other key is a setting of `vmbmodel.plan.scenario.Scenario`:

.. code-block:: toml

    profile = "azure-2018-12"
    churn_frac = 0.02
    start_h = 22
"""

import os
import textwrap
from collections.abc import Iterator, Mapping

from vmbmodel._toml import literal, read
from vmbmodel._words import first_lines, short
from vmbmodel.fields import Field, fields, groups
from vmbmodel.plan.scenario import CATALOGUES, DERIVED, Scenario

__all__ = ["scenario_arguments", "scenario_settings", "scenario_template"]

_HEAD = """\
# A scenario: what is taken instead of the defaults, as in

#     vmbmodel estimate fleet.csv --scenario scenario.toml

# A line that begins with # and a name, without a blank between, is a default: take
# the # away and change the value. --set NAME=VALUE goes before this file.
"""


def scenario_arguments(path: str | os.PathLike[str]) -> dict:
    r"""Read a scenario file.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    dict
        Arguments of `Scenario.of`, which checks names and values and says in which
        line a fault stands.

    Raises
    ------
    ValueError
        If it is no TOML, or a set has no text for a name.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp(), "scenario.toml")
    >>> _ = path.write_text("profile = 'azure-2018-12'\nstart_h = 22")
    >>> scenario = Scenario.of(**scenario_arguments(path))
    >>> scenario.profile.name, scenario["start_h"]
    ('azure-2018-12', 22)
    """
    name = os.fspath(path)
    found, lines = read(path)
    places = {key: lines.get(key, name) for key in found}
    sets = {key: found.pop(key) for key in CATALOGUES if key in found}
    wrong = [key for key, value in sets.items() if not isinstance(value, str)]
    if wrong:
        raise ValueError(
            first_lines(
                [
                    f"{places[key]}: {key} must be a name; got {short(sets[key])}"
                    for key in wrong
                ]
            )
        )
    beside = {
        key: os.path.join(os.path.dirname(name), value)
        for key, value in sets.items()
        if value.endswith(".toml")
    }
    return sets | beside | {"settings": found, "places": places}


def scenario_settings(path: str | os.PathLike[str]) -> dict[str, object]:
    """Read a scenario file as names and values, for what is no `Scenario`.

    Raises
    ------
    ValueError
        As `scenario_arguments`, and if a name or a value is not allowed.
    """
    found = scenario_arguments(path)
    Scenario.of(**found)
    return {key: found[key] for key in CATALOGUES if key in found} | found["settings"]


def scenario_template(
    scenario: Scenario, named: Mapping[str, str] | None = None
) -> str:
    """Return a scenario file that explains every setting, and changes none.

    Parameters
    ----------
    scenario : Scenario
        Whose values the file shows.
    named : Mapping[str, str], optional
        Names of sets that the file sets, instead of showing the default.

    Returns
    -------
    str
        TOML in which every setting is a comment.
    """
    parts = [_HEAD]
    for key, constants in scenario.sets():
        known = ", ".join(CATALOGUES[key].available())
        about = f"{constants.title}. Known: {known}; or a .toml file."
        name = (named or {}).get(key)
        line = (
            f"{key} = {literal(name)}"
            if name
            else f"#{key} = {literal(constants.name)}"
        )
        parts.append(f"{_comment(about)}\n{line}\n")
    for title, names in groups().items():
        settings = [_entry(scenario, fields()[n]) for n in names if n in scenario]
        if settings:
            parts += [f"# --- {title} {'-' * (73 - len(title))}\n", *settings]
    return "\n".join(parts)


def _entry(scenario: Scenario, field: Field) -> str:
    value = scenario[field.name]
    unit = "" if field.unit == "-" else f", {field.unit}"
    about = [f"{field.label}{unit}: {field.text}", f"{_allowed(field)}."]
    about += _origin(scenario, field.name)
    if value is None:
        about.append(f"If not set: {DERIVED[field.name]}.")
        line = f"# {field.name} = {literal(field.typical)}"
    else:
        line = f"#{field.name} = {literal(value)}"
    return f"{_comment(' '.join(about))}\n{line}\n"


def _allowed(field: Field) -> str:
    if field.kind == "number":
        return f"Allowed: {field.range.rule}{', whole' if field.whole else ''}"
    if field.kind == "flag":
        return "Allowed: true or false"
    return f"Allowed: {', '.join(field.choices)}" if field.choices else "A name"


def _origin(scenario: Scenario, name: str) -> Iterator[str]:
    for _, constants in scenario.sets():
        if name in constants:
            origin = constants.origins[name]
            yield (
                f"{origin.status.capitalize()}: {origin.documented} "
                f"({origin.source}, {origin.locator})."
            )
            return


def _comment(text: str) -> str:
    return textwrap.fill(
        " ".join(text.split()),
        width=88,
        initial_indent="# ",
        subsequent_indent="# ",
        break_long_words=False,
        break_on_hyphens=False,
    )
