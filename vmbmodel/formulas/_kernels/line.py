"""One line before several servers, job by job, many lines at a time."""

import heapq

import numpy as np

__all__ = ["waits"]

_FEW = 8  # lines, up to which each is served by itself


def waits(arrival_h, service_h, served):
    """Return the wait of jobs in order of arrival, the jobs along the first axis.

    All lines, along the second axis, are served `served` jobs at a time. Who finds a
    server that has not worked yet does not wait.
    """
    jobs, lines = arrival_h.shape
    served, wait_h = int(min(served, jobs)), np.zeros((jobs, lines))
    # if nobody waits, who comes finds those who came before him, less those who ended
    ends_h = np.sort(arrival_h + service_h, axis=0)[: jobs - served]
    some = np.flatnonzero((ends_h > arrival_h[served:]).any(axis=0))
    if len(some) <= _FEW:
        for line in some:
            wait_h[:, line] = _one(arrival_h[:, line], service_h[:, line], served)
        return wait_h
    arrival_h, service_h = arrival_h[:, some], service_h[:, some]
    free_h = np.ascontiguousarray((service_h[:served] + arrival_h[:served]).T)
    flat_h, line = free_h.ravel(), np.arange(len(some)) * served
    for job in range(served, jobs):
        first = line + free_h.argmin(axis=-1)
        begin_h = np.maximum(arrival_h[job], flat_h[first])
        wait_h[job, some] = begin_h - arrival_h[job]
        flat_h[first] = begin_h + service_h[job]
    return wait_h


def _one(arrival_h, service_h, served):
    wait_h, free_h = np.zeros(len(arrival_h)), []
    for job, begin_h in enumerate(arrival_h.tolist()):
        if len(free_h) >= served:
            begin_h = max(begin_h, heapq.heappop(free_h))
        wait_h[job] = begin_h - arrival_h[job]
        heapq.heappush(free_h, begin_h + service_h[job])
    return wait_h
