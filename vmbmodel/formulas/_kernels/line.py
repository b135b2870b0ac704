"""Many lines before several servers each, job by job from the first that waits."""

import heapq

import numpy as np

__all__ = ["waits"]

_FEW = 24  # lines, up to which each is served by itself
_ALIKE = 2  # times as many servers as another line, up to which both go together


def waits(arrival_h, service_h, served):
    """Return the wait of jobs in order of arrival, the jobs along the first axis.

    Each line, along the second axis, serves so many jobs at a time. Up to the first
    who waits, a server is free again when its job has come and been served: those
    that are free last are the ones at work.
    """
    jobs, lines = arrival_h.shape
    served, wait_h = np.minimum(served, jobs).astype(int), np.zeros((jobs, lines))
    first, ends_h = np.full(lines, jobs), arrival_h + service_h
    for count in np.unique(served[served < jobs]):
        some = np.flatnonzero(served == count)
        # if nobody waits, who comes finds who came before him, less who has ended
        left_h = np.sort(ends_h[:, some], axis=0)[: jobs - count]
        waiting = left_h >= arrival_h[count:, some]
        late = waiting.any(axis=0)
        first[some[late]] = count + waiting[:, late].argmax(axis=0)
    left = np.flatnonzero(first < jobs)
    left = left[np.argsort(served[left], kind="stable")]
    while len(left):
        most = _ALIKE * served[left[0]]
        some, left = np.split(left, [np.searchsorted(served[left], most, "right")])
        if len(some) <= _FEW:
            for line in some:
                begin, count = first[line], served[line]
                free_h = np.sort(ends_h[:begin, line])[-count:].tolist()
                come = (x[begin:, line].tolist() for x in (arrival_h, service_h))
                wait_h[begin:, line] = _one(*come, free_h)
        else:
            some = some[np.argsort(first[some], kind="stable")]
            lasts = (x[:, some] for x in (arrival_h, service_h, ends_h))
            _together(*lasts, served[some], first[some], wait_h, some)
    return wait_h


def _one(arrival_h, service_h, free_h):
    """Return the wait of the jobs of a line, whose servers are free from then on."""
    wait_h = []
    for arrived_h, length_h in zip(arrival_h, service_h, strict=True):
        begin_h = max(arrived_h, free_h[0])
        wait_h.append(begin_h - arrived_h)
        heapq.heapreplace(free_h, begin_h + length_h)
    return wait_h


def _together(arrival_h, service_h, ends_h, served, first, wait_h, where):
    """Put down the waits of lines, in the order of the first who waits in each.

    A step takes the next job of each line that has one left.
    """
    jobs, lines = arrival_h.shape
    ends_h = np.where(np.arange(jobs)[:, np.newaxis] < first, ends_h, -np.inf)
    most = served.max()
    free_h = np.sort(ends_h.T, axis=1)[:, : -most - 1 : -1].copy()
    free_h[np.arange(most) >= served[:, np.newaxis]] = np.inf  # no server there
    job = first + np.arange(jobs - first[0])[:, np.newaxis]
    kept, job = job < jobs, np.minimum(job, jobs - 1)
    come_h, length_h = (
        np.ascontiguousarray(np.take_along_axis(x, job, axis=0))
        for x in (arrival_h, service_h)
    )
    flat_h, begin = free_h.ravel(), np.arange(lines) * most
    begun_h = np.empty(come_h.shape)
    counts = kept.sum(axis=1).tolist()
    for step, count in enumerate(counts):
        at = free_h[:count].argmin(axis=1)
        at += begin[:count]
        begin_h = begun_h[step, :count]
        np.maximum(come_h[step, :count], flat_h[at], out=begin_h)
        flat_h[at] = begin_h + length_h[step, :count]
    begun_h -= come_h
    wait_h[job[kept], np.broadcast_to(where, job.shape)[kept]] = begun_h[kept]
