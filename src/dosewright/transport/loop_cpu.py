"""Histories one by one on a CPU thread; the caller owns the tally and decides which histories."""

from dosewright.core.jit import kernel
from dosewright.transport.history import history
from dosewright.transport.tracks import empty_stack


@kernel
def run_histories(problem, first, pencils, seed, tally):
    """Run histories ``first``, ``first + 1``, ... with the pencil beam named for each, adding to `tally`."""
    stack = empty_stack()
    for i in range(pencils.size):
        history(problem, first + i, pencils[i], seed, tally, stack)
