"""One call through the front door, against the same equation in plain Python."""

import math

import vmbmodel as vm
from benchmarks.timing import Comparison, alternate

__all__ = ["compare"]


def compare() -> list[Comparison]:
    """Time formulas of three weights."""
    calls = [
        ("initial_h", _initial_h, (4095, 19.07)),
        ("jam_mean_wait_h", _jam_mean_wait_h, (103, 10, 0.5)),
        ("mean_wait_h", _mean_wait_h, (10, 9.0, 1.0)),
    ]
    rows = []
    for name, theirs, line in calls:
        ours = getattr(vm.formulas, name)(*line)
        assert math.isclose(ours, theirs(*line), rel_tol=1e-12)
        rows.append(
            Comparison(
                f"{name}, one call / the same in plain Python",
                *alternate(
                    lambda n=name, a=line: getattr(vm.formulas, n)(*a),
                    lambda f=theirs, a=line: f(*a),
                ),
                "<= 10",
            )
        )
    return rows


def _initial_h(used_gib, initial_mib_s):
    return used_gib * 1024 / initial_mib_s / 3600


def _jam_mean_wait_h(jobs, servers, service_h):
    waves = math.floor(jobs / servers)
    rest = jobs - waves * servers
    full = servers * max(waves - 1, 0)
    return waves * (full / 2 + rest) / jobs * service_h


def _mean_wait_h(servers, arrivals_per_h, service_h):
    """Erlang's formula for any real number of servers, by the series of its gamma."""
    load = arrivals_per_h * service_h
    if load >= servers:
        return math.inf
    mass = math.exp(servers * math.log(load) - load - math.lgamma(servers + 1))
    term = total = 1.0
    count = servers
    while term > total * 1e-16:
        count += 1
        term *= load / count
        total += term
    spare = (servers - load) / servers * (1 - mass * total)
    return mass / (mass + spare) * service_h / (servers - load)
