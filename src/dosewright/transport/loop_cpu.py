"""Histories one by one on a CPU thread; the caller owns the tally and decides which histories."""

from dosewright.core.jit import kernel
from dosewright.transport.history import history


@kernel
def run_histories(problem, first, pencils, seed, tally, stack):
    """Run histories ``first``, ``first + 1``, ... with the pencil beam named for each, adding to `tally`.

    `stack` is room for waiting particles, one per thread, from `tracks.empty_stack`.
    """
    for i in range(pencils.size):
        history(problem, first + i, pencils[i], seed, tally, stack)
