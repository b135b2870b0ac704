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
    served = int(min(served, jobs))
    if lines <= _FEW:
        each = (
            _one(arrival_h[:, line], service_h[:, line], served)
            for line in range(lines)
        )
        return np.stack(list(each), axis=-1) if lines else np.empty((jobs, 0))
    wait_h = np.zeros((jobs, lines))
    free_h, line = service_h[:served] + arrival_h[:served], np.arange(lines)
    free_h = np.ascontiguousarray(free_h.T)
    for job in range(served, jobs):
        first = free_h.argmin(axis=-1)
        begin_h = np.maximum(arrival_h[job], free_h[line, first])
        wait_h[job] = begin_h - arrival_h[job]
        free_h[line, first] = begin_h + service_h[job]
    return wait_h


def _one(arrival_h, service_h, served):
    wait_h, free_h = np.zeros(len(arrival_h)), []
    for job, begin_h in enumerate(arrival_h.tolist()):
        if len(free_h) >= served:
            begin_h = max(begin_h, heapq.heappop(free_h))
        wait_h[job] = begin_h - arrival_h[job]
        heapq.heappush(free_h, begin_h + service_h[job])
    return wait_h
