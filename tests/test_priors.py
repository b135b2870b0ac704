"""What a constant may be instead: every assumed one says so, or why it does not."""

import re
from dataclasses import replace

import pytest

from vmbmodel.fields import fields
from vmbmodel.service import LIMITS, PRICES, PROFILES

ALL = [(c, name) for c in (PROFILES, PRICES, LIMITS) for name in c.available()]


@pytest.mark.parametrize(("catalogue", "name"), ALL, ids=lambda one: str(one)[:24])
def test_every_assumed_constant_has_a_law_or_says_why_not(catalogue, name):
    constants = catalogue.load(name)
    for constant, origin in constants.origins.items():
        if origin.status == "assumed":
            assert (origin.prior is None) == bool(origin.kind), constant
            assert origin.why.strip().endswith("."), constant
        if origin.prior is not None:
            field = fields()[constant]
            for end in (origin.low, origin.high):
                # an hour of the day may be that of the next midnight
                assert end in field.range or origin.shape == "normal", constant
            assert origin.low <= constants[constant] <= origin.high


def test_the_printed_evidence_stands_within_the_law():
    """Figures of other pages and records, none of which the law was made from alone."""
    now = PROFILES.load("azure-2026-01").origins
    for name, seen in {
        "initial_mib_s": (8, 19.1, 50),
        "restore_mib_s": (28.6, 47.7, 62),
        "extension_h": (31 / 3600, 92 / 3600),
        "snapshot_h": (0.25, 0.35),
        "churn_frac": (0.02, 0.05, 0.07),
        "dispersion": (0.01, 0.1, 0.5),
        "others_wait_mean_h": (1.3, 2.4, 4.5),
    }.items():
        origin = now[name]
        assert all(origin.low <= one <= origin.high for one in seen), name


ROW = """
[about]
title = "t"
as_of = 2026-01-01
[servers]
documented = "10"
source = "readings"
locator = "here"
retrieved = 2026-01-01
status = "assumed"
"""
GOOD = 'low = 3\nhigh = 100\nshape = "lognormal"\nwhy = "because"\n'


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (GOOD + "sample = [1, 2]\n", "sample must have 32 to 400 numbers; got 2"),
        (GOOD + f"sample = {[5] * 31}\n", "must have 32 to 400 numbers; got 31"),
        (GOOD + f"sample = {[5] * 401}\n", "must have 32 to 400 numbers; got 401"),
        (GOOD + "sample = 4\n", "sample must be a list of numbers"),
        *(
            (GOOD + f"sample = [{', '.join([wrong] * 32)}]\n", "a list of numbers")
            for wrong in ("inf", "nan", "true", '"5"')
        ),
        ("", "servers: is assumed, and needs low, high, shape, why, or a kind"),
        ("low = 3\n", "servers: high, shape, why is missing beside low"),
        (GOOD.replace("3", "11"), "low and high must hold 10; got 11 and 100"),
        (GOOD.replace("3", "10").replace("100", "10"), "got 10 and 10"),
        (GOOD.replace("100", "9"), "low and high must hold 10; got 3 and 9"),
        (GOOD.replace("100", "inf"), "low and high must hold 10; got 3 and inf"),
        (GOOD.replace("100", "true"), "servers: high must be a number; got True"),
        (GOOD.replace("3", "0"), "low must be > 0 in shape lognormal; got 0"),
        (GOOD.replace("lognormal", "round"), "shape must be one of lognormal, logit"),
        (GOOD.replace("3", '"3"'), "servers: low must be a number; got '3'"),
        (GOOD.replace("lognormal", "logit"), "must lie within 0 and 1 in shape logit"),
        (GOOD + "disks = -1\n", "servers: disks must be >= 0; got -1"),
        (GOOD + 'kind = "choice"\n', "a constant of a kind has no low, high or shape"),
        ('kind = "whim"\nwhy = "x"\n', "kind must be one of choice, reading, unused"),
        (GOOD.replace("high", "hihg"), "servers: hihg is not one of documented"),
    ],
)
def test_a_law_that_is_none_is_refused_with_its_rule(lines, said, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(ROW + lines, "utf-8")
    with pytest.raises(ValueError, match=re.escape(said)):
        PROFILES.read(path)


@pytest.mark.parametrize(
    "lines",
    [
        GOOD + f"sample = {[5] * 32}\n",
        GOOD + f"sample = {[5] * 400}\n",
        GOOD + "disks = 0\n",
        GOOD.replace("3", "10"),
        GOOD.replace("100", "10"),
        GOOD.replace("3", "0").replace("lognormal", "normal"),
    ],
)
def test_a_law_may_end_at_its_figure(lines, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(ROW + lines, "utf-8")
    with pytest.raises(
        ValueError, match="required"
    ) as caught:  # of all other constants
        PROFILES.read(path)
    assert " servers: " not in str(caught.value)


def test_a_set_that_is_written_keeps_its_laws(tmp_path):
    from vmbmodel.service import set_text

    base = PROFILES.load("azure-2026-01")
    path = tmp_path / "again.toml"
    origins = dict(base.origins)
    sample = tuple(0.25 + number / 1000 for number in range(40))
    origins["snapshot_h"] = replace(origins["snapshot_h"], sample=sample)
    path.write_text(set_text("t", base.as_of, origins), "utf-8")
    assert PROFILES.read(path).origins == origins


def test_what_the_caller_sets_has_no_law():
    changed = PROFILES.load("azure-2026-01").modified(churn_frac=0.03)
    assert changed.origins["churn_frac"].prior is None
    assert changed.origins["dispersion"].prior is not None
