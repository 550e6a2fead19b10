"""Put your own weights among those that the package ships: `python -m tests.ship_weights OWN AS`.

For who makes a release, who writes the card `bokeh_core/weights/AS.md` too.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from bokeh_core.networks import registry, shipped


def main(own: str, name: str) -> None:
    """Copy the weights and write their record."""
    record = registry.find(own)
    tensors = registry.load_tensors(record)
    made = shipped.write(
        replace(record, name=name, file=f"{name}.safetensors"), tensors, shipped.WEIGHTS
    )
    print(f"{made.name}: {made.file}, SHA-256 {made.sha256}")


if __name__ == "__main__":
    main(*sys.argv[1:])
