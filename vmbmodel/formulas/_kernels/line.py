"""Many lines before several servers each, job by job from the first that waits."""

import heapq

import numpy as np

__all__ = ["waits"]

_FEW = 10  # lines, up to which each is served by itself
_ALIKE = 2  # times as many servers as another line, up to which both go together
_SAME_H = 1e-9  # by which the ends of two days may differ that are alike


def waits(arrival_h, service_h, served, days):
    """Return the wait of jobs in order of arrival, a row a line.

    Each line serves so many jobs at a time. The same jobs come on so many days, or
    until a day begins as the one before it did; told is the last.
    """
    wait_h, left, day = np.zeros(arrival_h.shape), np.arange(len(arrival_h)), 1
    busy_h = np.empty((len(left), 0))  # when those at work since yesterday will end
    while len(left) and wait_h.size:
        wait_h[left], ends_h = _of_a_day(arrival_h, service_h, served, busy_h)
        on = np.flatnonzero((day < days) & (ends_h.max(axis=1) - 24 > arrival_h[:, 0]))
        if not len(on):
            break
        after_h = _at_work(ends_h[on], served[on], arrival_h[on, :1])
        changed = ~_alike(busy_h[on], after_h)
        on, busy_h, day = on[changed], after_h[changed], day + 1
        arrival_h, service_h, served = arrival_h[on], service_h[on], served[on]
        left, days = left[on], days[on]
    return wait_h


def _at_work(ends_h, served, first_h):
    """Return when the servers will be free that are at work as the next day begins."""
    served = np.minimum(served, ends_h.shape[1]).astype(int)
    free_h = _last_free_h(ends_h, served, -np.inf) - 24
    free_h[free_h <= first_h] = -np.inf
    most = (free_h > -np.inf).sum(axis=1).max(initial=0)
    return free_h[:, free_h.shape[1] - most :]


def _last_free_h(ends_h, served, without_h):
    """Return in order when the servers of each line are free, after jobs that end then.

    Those that are free last are the ones at work. A line that has fewer servers than
    another is `without_h` in the places of those it lacks.
    """
    most = served.max()
    free_h = _padded(np.sort(ends_h, axis=1), most)[:, -most:].copy()
    free_h[np.arange(most) < most - served[:, np.newaxis]] = without_h
    return free_h


def _padded(ends_h, columns):
    """Put columns of servers that have nothing to do before, if there are fewer."""
    lines, given = ends_h.shape
    if given >= columns:
        return ends_h
    idle_h = np.full((lines, columns - given), -np.inf)
    return np.concatenate([idle_h, ends_h], axis=1)


def _alike(one_h, other_h):
    """Say of each line whether as many are at work, and until the same hours."""
    most = max(one_h.shape[1], other_h.shape[1])
    one_h, other_h = (_padded(ends_h, most) for ends_h in (one_h, other_h))
    return ((one_h == other_h) | (np.abs(one_h - other_h) <= _SAME_H)).all(axis=1)


def _of_a_day(arrival_h, service_h, served, busy_h):
    """Return the waits of a day, and when all end, those who are at work first.

    Up to the first who waits, a server is free again when its job has come and been
    served.
    """
    (lines, jobs), busy = arrival_h.shape, busy_h.shape[1]
    wait_h, first = np.zeros((lines, jobs)), np.full(lines, jobs)
    ends_h = arrival_h + service_h
    if busy:
        ends_h = np.concatenate([busy_h, ends_h], axis=1)
    in_order_h = np.sort(ends_h, axis=1)
    served = np.minimum(served, busy + jobs).astype(int)
    for count in np.unique(served[served < busy + jobs]):
        some = np.flatnonzero(served == count)
        # if nobody waits, who comes finds who came before him, less who has ended
        begin = max(count - busy, 0)
        left_h = in_order_h[some, begin + busy - count : busy + jobs - count]
        waiting = left_h >= arrival_h[some, begin:]
        late = waiting.any(axis=1)
        first[some[late]] = begin + waiting[late].argmax(axis=1)
    left = np.flatnonzero(first < jobs)
    left = left[np.argsort(served[left], kind="stable")]
    while len(left):
        most = _ALIKE * served[left[0]]
        some, left = np.split(left, [np.searchsorted(served[left], most, "right")])
        begin = first[some].min()
        free_h = _last_free_h(ends_h[some, : busy + begin], served[some], np.inf)
        serve = _in_turn if len(some) <= _FEW else _together
        waited_h = serve(arrival_h[some, begin:], service_h[some, begin:], free_h)
        wait_h[some, begin:] = waited_h
        ends_h[some, busy + begin :] += waited_h
    return wait_h, ends_h


def _in_turn(arrival_h, service_h, free_h):
    """Return the wait of the jobs of some lines, one line after the other."""
    wait_h = []
    for come_h, length_h, free in zip(
        arrival_h.tolist(), service_h.tolist(), free_h.tolist(), strict=True
    ):
        heapq.heapify(free)
        for arrived_h, lasts_h in zip(come_h, length_h, strict=True):
            begin_h = max(arrived_h, free[0])
            wait_h.append(begin_h - arrived_h)
            heapq.heapreplace(free, begin_h + lasts_h)
    return np.reshape(wait_h, arrival_h.shape)


def _together(arrival_h, service_h, free_h):
    """Return the wait of the jobs of some lines, of each the next in a step.

    When the servers of each are free is a row of `free_h`.
    """
    come_h, length_h = (x.T.copy() for x in (arrival_h, service_h))
    begun_h, flat_h = np.empty(come_h.shape), free_h.ravel()
    row = np.arange(len(free_h)) * free_h.shape[1]
    for arrived_h, lasts_h, begin_h in zip(come_h, length_h, begun_h, strict=True):
        at = free_h.argmin(axis=1)
        at += row
        np.maximum(arrived_h, flat_h[at], out=begin_h)
        flat_h[at] = begin_h + lasts_h
    return (begun_h - come_h).T
