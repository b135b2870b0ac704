"""Docstrings completed from the field table; a formula passes for a function."""

import copy
import functools
import inspect
import pickle
import pydoc

import pytest

from vmbmodel._arrays import formula
from vmbmodel.formulas import capacity

SHORT = r"""Time until the last of several jobs is done.

.. math:: M = \left\lceil \frac{N}{c} \right\rceil \tau

Parameters
----------
jobs : jobs that start at once, :math:`N`
service_h : mean of the service time, :math:`\tau`
    No job is served twice, and this sentence is as long as it is only because
    it has to be wrapped.
family : what the service time looks like

Notes
-----
Exact.
"""
COMPLETE = r"""Time until the last of several jobs is done.

.. math:: M = \left\lceil \frac{N}{c} \right\rceil \tau

Parameters
----------
jobs : array_like of int
    Jobs that start at once, :math:`N`; >= 1 and finite. [-]
vault_servers : array_like of int
    Jobs of one vault that are served at a time, :math:`c`; >= 1 and finite.
    [-]
service_h : array_like of float, default 1
    Mean of the service time, :math:`\tau`; > 0 and finite. No job is served
    twice, and this sentence is as long as it is only because it has to be
    wrapped. [h]
family : str, default gamma
    What the service time looks like; ``gamma``, ``lognormal`` or
    ``hyperexponential``. [-]

Returns
-------
array_like of float
    Of the broadcast shape of the arguments. [h]

Raises
------
ValueError
    If an argument lies outside its range above, or is NaN.

Notes
-----
Exact."""


def jam_makespan_h(jobs, vault_servers, service_h=1, family: str = "gamma"):
    return jobs / vault_servers * service_h


def completed(kernel, source, **how):
    """Return the docstring of a formula whose source says this."""
    kernel.__doc__ = source
    return formula(kernel, **how).__doc__


def section(doc, title):
    return doc.partition(f"{title}\n{'-' * len(title)}\n")[2].partition("\n\n")[0]


def test_the_table_says_the_rest():
    assert completed(jam_makespan_h, SHORT) == COMPLETE


def test_an_entry_can_add_to_the_table():
    source = "Sum.\n\nParameters\n----------\njobs : Of one\n    night only.\n"
    text = " ".join(section(completed(jam_makespan_h, source), "Parameters").split())
    added = "and finite. Of one night only. [-] vault_servers"
    assert f"start at the same time, :math:`N`; >= 1 {added}" in text


@pytest.mark.parametrize(
    ("particular", "text"),
    [
        (
            "``inf`` where a\nqueue grows",
            "; ``inf`` where a queue grows. [h]",
        ),
        ("Without VM creation.", ". Without VM creation. [h]"),
    ],
)
def test_a_result_can_be_particular(particular, text):
    source = f"Sum.\n\nReturns\n-------\n{particular}\n\nNotes\n-----\nExact.\n"
    assert text in section(completed(jam_makespan_h, source), "Returns")


def test_a_refusal_can_be_particular():
    source = "Sum.\n\nRaises\n------\nIf it rains.\n"
    text = " ".join(section(completed(jam_makespan_h, source), "Raises").split())
    assert text.endswith("outside its range above, or is NaN. If it rains.")


def test_a_result_with_an_upper_end_says_its_range():
    def changed_frac(changed_gib, used_gib):
        return changed_gib / used_gib

    text = section(completed(changed_frac, "Share."), "Returns")
    assert "arguments, in [0, 1]. [-]" in text


def test_shapes_along_an_axis_are_told():
    def completion_h(size_gib, cap_mib_s, capacity_mib_s):
        return size_gib / cap_mib_s

    doc = completed(completion_h, "Sum.", along="disk", over=("size_gib", "cap_mib_s"))
    assert "size_gib : array_like of float, at least one-dimensional\n" in doc
    one_line = " ".join(doc.split())
    assert "; disks along the last axis. [GiB]" in one_line
    assert "; disks along the last axis, or one value for all. [MiB/s]" in one_line
    assert "; of the shape of `size_gib` without its last axis. [MiB/s]" in one_line
    assert "arguments, disks along the last axis. [h]" in one_line


def test_without_docstrings_there_is_nothing_to_complete():
    assert completed(jam_makespan_h, None) is None


def test_a_formula_passes_for_a_function():
    settling = capacity.relaxation_h
    assert inspect.isroutine(settling)
    assert str(inspect.signature(settling)) == "(servers, utilisation_frac, service_h)"
    assert settling.__module__ == "vmbmodel.formulas.capacity"
    assert (
        repr(settling) == "<formula relaxation_h(servers, utilisation_frac, service_h)>"
    )
    assert pickle.loads(pickle.dumps(settling)) is copy.deepcopy(settling) is settling

    @functools.wraps(settling)
    def wrapped(*args):
        return settling(*args)

    assert inspect.getdoc(wrapped) == inspect.getdoc(settling)
    assert inspect.signature(wrapped) == inspect.signature(settling)


def test_help_shows_signature_and_complete_docstring():
    shown = pydoc.render_doc(capacity.relaxation_h, renderer=pydoc.plaintext)
    assert "relaxation_h(servers, utilisation_frac, service_h)\n" in shown
    assert "    servers : array_like of float\n" in shown
    listed = pydoc.render_doc(capacity, renderer=pydoc.plaintext)
    assert "relaxation_h(servers, utilisation_frac, service_h)\n" in listed
