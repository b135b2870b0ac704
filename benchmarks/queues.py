"""Ten data movers at 90 %: a closed form, its costliest part, two simulators."""

import random
import statistics
import time

import ciw
import numpy as np
import simpy
from scipy.special import gammaincc, stdtrit

from benchmarks.timing import Comparison, alternate
from vmbmodel.formulas.queueing import erlang_c_prob, mean_wait_h

__all__ = ["compare"]

SERVERS, ARRIVALS_PER_H, SERVICE_H = 10, 9.0, 1.0
RUNS = 12
ACCURACY = 0.01  # half the width of a 95 % confidence interval, over the mean


def compare() -> list[Comparison]:
    """Time Erlang C against its gamma function, then against simulators."""
    rng = np.random.default_rng(1)
    servers = rng.integers(1, 65, 100_000).astype(float)
    load = servers * rng.uniform(0.3, 1, servers.size)
    ours_s, theirs_s = alternate(
        lambda: erlang_c_prob(servers, load), lambda: gammaincc(servers, load)
    )
    gamma = Comparison(
        f"Erlang C, {servers.size:,} queues / the incomplete gamma function inside it",
        ours_s,
        theirs_s,
        "<= 1.5",
    )
    line = SERVERS, ARRIVALS_PER_H, SERVICE_H
    (call_s, sweep_s) = alternate(
        lambda: mean_wait_h(*line), lambda: mean_wait_h(servers, load, SERVICE_H)
    )
    rows = [gamma]
    for name, simulate in (("Ciw", _ciw_wait_h), ("SimPy", _simpy_wait_h)):
        theirs_s = _seconds_to_accuracy(simulate)
        rows += [
            Comparison(
                f"mean wait of M/M/10 at 90 %, {how} / {name} to +-1 %",
                ours_s,
                theirs_s,
                ">= 1e6",
            )
            for how, ours_s in (
                ("one call", call_s),
                (f"one of {servers.size:,} queues", sweep_s / servers.size),
            )
        ]
    return rows


def _seconds_to_accuracy(simulate):
    """CPU seconds of a simulator to `ACCURACY`, scaled from a few short runs.

    The interval narrows with the square root of the time spent, so that the
    time grows with the square of the interval seen over the one asked for.
    """
    begin = time.process_time()
    waits_h = [simulate(seed) for seed in range(RUNS)]
    seconds = time.process_time() - begin
    half_h = stdtrit(RUNS - 1, 0.975) * statistics.stdev(waits_h) / RUNS**0.5
    mean_h = statistics.mean(waits_h)
    exact_h = mean_wait_h(SERVERS, ARRIVALS_PER_H, SERVICE_H)
    if abs(mean_h - exact_h) > 2 * half_h:
        raise ArithmeticError(f"{simulate}: {mean_h} +- {half_h} is not {exact_h}")
    return seconds * (half_h / mean_h / ACCURACY) ** 2


def _ciw_wait_h(seed, jobs=20_000):
    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(ARRIVALS_PER_H)],
        service_distributions=[ciw.dists.Exponential(1 / SERVICE_H)],
        number_of_servers=[SERVERS],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(jobs)
    records = sorted(simulation.get_all_records(), key=lambda r: r.arrival_date)
    return statistics.fmean(r.waiting_time for r in records[jobs // 10 :])


def _simpy_wait_h(seed, jobs=40_000):
    rng = random.Random(seed)
    environment = simpy.Environment()
    movers = simpy.Resource(environment, SERVERS)
    waits_h = []

    def backup():
        arrived_h = environment.now
        with movers.request() as mover:
            yield mover
            waits_h.append(environment.now - arrived_h)
            yield environment.timeout(rng.expovariate(1 / SERVICE_H))

    def arrivals():
        for _ in range(jobs):
            yield environment.timeout(rng.expovariate(ARRIVALS_PER_H))
            environment.process(backup())

    environment.process(arrivals())
    environment.run()
    return statistics.fmean(waits_h[jobs // 10 :])
