"""A notebook of the book, executed again with your own parameters."""

import ast
import contextlib
import copy
import difflib
import errno
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import nbformat
import papermill
from nbconvert import HTMLExporter
from nbconvert.preprocessors import TagRemovePreprocessor
from papermill.exceptions import PapermillExecutionError

from vmbmodel._extras import remedy
from vmbmodel._files import refuse_special, write_all
from vmbmodel._words import first_lines, short
from vmbmodel.fields import fields

__all__ = ["rerun"]

_MISSING = re.compile(r"No module named '([\w.]+)'")
_ROLE = re.compile(r"\{[a-z:]+\}`~?(?:([^`<]+?)\s*<[^`>]*>|([^`]+))`")
_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:)([^)]*)\)")


def rerun(
    notebook: Path,
    settings: Mapping[str, str],
    folder: Path,
    *,
    defaults: Mapping[str, object] | None = None,
    force: bool = False,
) -> tuple[Path, Path]:
    """Execute a notebook with some of its parameters changed.

    Parameters
    ----------
    notebook : Path
        Notebook with one cell tagged ``parameters``.
    settings : Mapping[str, str]
        New values by parameter, as Python writes them; a text needs no quotes,
        and the name of a file that exists here is handed on with its full path.
    folder : Path
        Where the results go; made if it is missing.
    defaults : Mapping[str, object], optional
        What else to set where the notebook has such a parameter, such as the
        content of a scenario file; `settings` go before it.
    force : bool
        Whether results of an earlier run are overwritten.

    Returns
    -------
    tuple of Path
        The executed notebook and the page made of it, which needs no network.

    Raises
    ------
    ValueError
        If it is no notebook, has no parameters, has none of that name, or a
        value is not of the kind of the parameter or out of the range of its
        field: nothing is written then. Or if a cell fails, which is named: the
        notebook is in the folder as far as it ran, as ``NAME-failed.ipynb``.
    FileExistsError
        If a result exists and `force` is not given.
    ModuleNotFoundError
        If the notebook needs a package of an extra that is not installed.
    """
    _refuse_foreign(notebook)
    results = tuple(
        folder / f"{notebook.stem}{suffix}" for suffix in (".ipynb", ".html")
    )
    for path in results:
        if path.exists() and path.samefile(notebook):
            raise ValueError(f"{path} is the notebook itself; name another folder")
        if path.exists() and not force:
            raise FileExistsError(errno.EEXIST, "exists; force replaces it", str(path))
    parameters = _parameters(notebook, settings, defaults or {})
    with tempfile.TemporaryDirectory() as scratch:
        executed = Path(scratch) / notebook.name
        try:
            papermill.execute_notebook(
                str(notebook),
                str(executed),
                parameters=parameters,
                cwd=str(notebook.resolve().parent),
                progress_bar=sys.stderr.isatty(),
                log_output=False,
            )
        except PapermillExecutionError as error:
            if error.ename == "KeyboardInterrupt":  # the kernel was told first
                raise KeyboardInterrupt from None
            if lacks := _lacks(error):
                raise lacks from error
            kept = folder / f"{notebook.stem}-failed.ipynb"
            _write(folder, {kept: executed.read_bytes()}, force=True)
            number = _number(notebook, error.cell_index, injected=bool(parameters))
            raise ValueError(
                f"{notebook} fails with these parameters in cell {number}: "
                f"{error.ename}: {error.evalue}\n{kept} has it as far as it ran"
            ) from error
        node = nbformat.read(executed, as_version=4)
    page = _page(node, notebook.stem)
    contents = nbformat.writes(node).encode(), page.encode()
    _write(folder, dict(zip(results, contents, strict=True)), force=force)
    return results


def _write(folder: Path, files: Mapping[Path, bytes], *, force: bool) -> None:
    """Write files into a folder, which is only made if they can be."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_all(files, force=force)
    except BaseException:
        for path in made:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise


def _refuse_foreign(notebook: Path) -> None:
    if not notebook.exists():
        raise ValueError(f"{notebook}: there is no such file")
    refuse_special(notebook)
    try:
        nbformat.read(notebook, as_version=4)
    except Exception as error:  # whatever foreign content makes of the reader
        raise ValueError(f"{notebook}: is no Jupyter notebook") from error


def _parameters(
    notebook: Path, settings: Mapping[str, str], defaults: Mapping[str, object]
) -> dict[str, object]:
    """Check every name against the tagged cell, and every value against its kind."""
    known = papermill.inspect_notebook(str(notebook))
    if settings and not known:
        raise ValueError(f"{notebook}: has no cell tagged `parameters`")
    problems, parameters = [], {}
    known_defaults = {n: str(v) for n, v in defaults.items() if n in known}
    for name, text in (known_defaults | dict(settings)).items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            guess = f"; did you mean {close[0]}?" if close else "."
            has = ", ".join(f"{n} = {row['default']}" for n, row in known.items())
            problems.append(f"has no parameter {short(name)}{guess} It has: {has}")
            continue
        try:
            parameters[name] = _value(name, text, known[name]["default"])
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError(
            first_lines([f"{notebook}: {problem}" for problem in problems])
        )
    return parameters


def _value(name: str, text: str, default: str) -> object:
    """Read a value as Python writes it, of the same kind as the default."""
    value, old = _literal(text), _literal(default)
    kinds = {bool: "true or false", int: "a number", float: "a number"}
    kinds |= {list: "a list such as [1, 2, 4]", dict: "a mapping"}
    if isinstance(old, str):
        value = text
        if os.path.exists(text):
            value = str(Path(text).resolve())
    elif isinstance(old, bool) and text.lower() in ("true", "false"):
        value = text.lower() == "true"
    elif _kind(value) is not _kind(old):
        wanted = kinds.get(type(old), "like its default")
        raise ValueError(f"{name} must be {wanted}; got {short(text)}")
    field = fields().get(name)
    if field is not None and field.kind == "number":
        for number in value if isinstance(value, list) else [value]:
            field.check(number)
    return value


def _lacks(error: PapermillExecutionError) -> ModuleNotFoundError | None:
    """Return the want of a package of an extra, if a notebook failed for it."""
    missing = _MISSING.fullmatch(error.evalue)
    if error.ename == "ModuleNotFoundError" and missing:
        lacks = ModuleNotFoundError(error.evalue, name=missing[1])
        if remedy(lacks):
            return lacks
    return None


def _number(notebook: Path, index: int, *, injected: bool) -> int:
    """Return the number of a cell, from 1, in the notebook as it was given.

    Papermill adds a cell, with the new values, after the tagged one.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    tagged = ["parameters" in cell.metadata.get("tags", ()) for cell in cells]
    return index + 1 - (injected and index > tagged.index(True))


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _kind(value: object) -> type:
    return float if type(value) is int else type(value)


def _page(node: nbformat.NotebookNode, title: str) -> str:
    """Make a page that reaches for nothing outside itself."""
    hidden = {"remove-input", "hide-input"}
    tags = TagRemovePreprocessor(
        remove_cell_tags={"remove-cell"}, remove_input_tags=hidden, enabled=True
    )
    exporter = HTMLExporter(embed_images=True)
    exporter.register_preprocessor(tags, enabled=True)
    exporter.mathjax_url = ""
    exporter.require_js_url = ""
    exporter.jquery_url = ""
    exporter.mermaid_js_url = ""
    shown = copy.deepcopy(node)
    for cell in shown.cells:
        if cell.cell_type == "markdown":
            cell.source = _without_book(cell.source)
        if "outputs" in cell:
            cell.outputs = [o for o in cell.outputs if not _is_record(o)]
    page, _ = exporter.from_notebook_node(shown, {"metadata": {"name": title}})
    return page


def _without_book(text: str) -> str:
    """Take out of Markdown what leads to pages of the book, which is elsewhere."""
    text = _ROLE.sub(lambda role: role[1] or f"`{role[2]}`", text)
    return _LINK.sub(lambda link: link[1] or f"`{Path(link[2]).stem}`", text)


def _is_record(output: nbformat.NotebookNode) -> bool:
    """Say whether an output is only kept for a chapter to quote."""
    kinds = output.get("data", {})
    return bool(kinds) and all("papermill.record" in kind for kind in kinds)
