"""Work of a command that is shared out, also on a dask cluster, here or elsewhere."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, wait
from itertools import islice
from typing import TypeVar

__all__ = ["as_finished", "cluster"]

_Result = TypeVar("_Result")

_WORKERS = {  # as the allocator has it by itself; less gives every array back at once
    "MALLOC_TRIM_THRESHOLD_": 2**26,
    "MALLOC_MMAP_THRESHOLD_": 2**25,
}


@contextlib.contextmanager
def cluster(
    processes: int | None, scheduler: str | None
) -> Iterator[tuple[Executor, int]]:
    """Give what runs calls on a cluster, and how many workers it has.

    Parameters
    ----------
    processes : int or None
        Workers of a cluster on this machine, for as long as it is used.
    scheduler : str or None
        Address of one that runs already.
    """
    import dask
    from distributed import Client, LocalCluster

    with contextlib.ExitStack() as stack:
        if scheduler:
            address = scheduler
        else:
            memory = {"distributed.nanny.pre-spawn-environ": _WORKERS}
            stack.enter_context(dask.config.set(memory))
            address = stack.enter_context(
                LocalCluster(
                    n_workers=processes,
                    threads_per_worker=1,
                    dashboard_address=":0",  # any port: 8787 may be taken
                    silence_logs=logging.ERROR,  # a worker slow to leave is none
                )
            )
        client = stack.enter_context(Client(address, timeout=30))
        threads = sum(client.nthreads().values())
        yield client.get_executor(pure=False), max(threads, 1)


def as_finished(
    executor: Executor,
    at_once: int,
    function: Callable[..., _Result],
    calls: Iterator[tuple],
) -> Iterator[_Result]:
    """Give what each call returns as soon as it is there; so many are under way."""
    running = set()
    try:
        while True:
            for call in islice(calls, at_once - len(running)):
                running.add(executor.submit(function, *call))
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in finished)
    finally:
        for future in running:
            future.cancel()
