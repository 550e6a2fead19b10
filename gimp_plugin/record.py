"""What is kept with the image: a record in the group, and what each of its layers is."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from daemon.light.errors import PluginError
from daemon.light.parameters import Parameters
from daemon.light.words import tr
from gimp_plugin.bindings import Gimp

GROUP = "defocus-bokeh"
ROLE = "defocus-bokeh-role"
KEPT = 3  # persistent (saved with the image) and undoable


@dataclass(frozen=True)
class Record:
    """What is kept in the group: settings and fingerprints, no pixels.

    Parameters
    ----------
    parameters
        The settings of the last render.
    source
        Tattoo of the source layer.
    source_digest, mask_digest, depth_digest, composite_digest
        Fingerprints of the source's pixels, of the maps as the networks made them and of the
        Composite as it was rendered: tell what was edited. Empty when not known.
    """

    parameters: Parameters
    source: int
    source_digest: str
    mask_digest: str = ""
    depth_digest: str = ""
    composite_digest: str = ""

    def after(self, source_digest: str) -> Record:
        """Return the record after a re-render: on another source kept maps are the user's own."""
        if source_digest == self.source_digest:
            return self
        return dataclasses.replace(
            self, source_digest=source_digest, mask_digest="", depth_digest=""
        )

    def digest_of(self, role: str) -> str:
        """Return the fingerprint of the member `composite`, `mask` or `depth`."""
        digest: str = getattr(self, f"{role}_digest")
        return digest

    def with_digest(self, role: str, digest: str) -> Record:
        """Return the record with another fingerprint of `composite`, `mask` or `depth`."""
        fields: dict[str, Any] = {f"{role}_digest": digest}
        return dataclasses.replace(self, **fields)

    def to_json(self) -> bytes:
        """Return ASCII JSON; GIMP's bindings refuse other bytes in a parasite."""
        fields = {**dataclasses.asdict(self), "version": 1, "parameters": self.parameters.record()}
        return json.dumps(fields).encode("ascii")

    @classmethod
    def from_json(cls, data: bytes) -> Record:
        """Read what `to_json` wrote.

        Raises
        ------
        PluginError
            It is damaged.
        """
        try:
            fields = json.loads(data)
            names = {field.name for field in dataclasses.fields(cls)}
            kept = {name: fields[name] for name in names & fields.keys()}
            return cls(**{**kept, "parameters": Parameters.from_record(fields["parameters"])})
        except (ValueError, KeyError, TypeError) as error:
            raise PluginError(
                tr(
                    "The settings kept in this Bokeh group are damaged. Select the photo's layer "
                    "and run Portrait Bokeh again."
                )
            ) from error


def keep(item: Gimp.Item, name: str, data: bytes) -> None:
    """Keep bytes with a layer, under `GROUP` or `ROLE`."""
    item.attach_parasite(Gimp.Parasite.new(name, KEPT, data))


def parasite(item: Gimp.Item, name: str) -> bytes | None:
    """Return what is kept with a layer, or None."""
    found = item.get_parasite(name)
    return None if found is None else bytes(found.get_data())
