"""A batch to be killed: `python -m tests.daemon.batch.victim IN OUT LOG`."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath

from daemon.batch import runner, sources
from daemon.batch.journal import Journal
from daemon.batch.local import Local, Size
from tests.daemon.batch.works import Doubling


def order_with(work, **settings):
    def order(item):
        return runner.Order(work, settings, PurePosixPath(item.key).parent)

    return order


def main(folder, out, log):
    order = order_with(Doubling(Path(log), 0.01))
    batch = runner.Batch(sources.find([folder], Path(out)), order)
    with Journal(Path(out)) as journal, Local(Size(2)) as crew:
        tally = runner.run(batch, journal, crew, lambda _: None)
    return int(bool(tally.failures))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
