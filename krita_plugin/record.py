"""What is kept of the Bokeh groups in a document: an annotation, which is saved in its .kra file.

Names are the user's to change and layers the user's to move: all are known by Krita's own unique
numbers, which stay when a file is saved and opened.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daemon.light.errors import PluginError
from daemon.light.parameters import Parameters
from daemon.light.words import tr
from krita_plugin.qt import QtCore

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "defocus-bokeh"
DESCRIPTION = "Settings of the Bokeh groups in this picture"
MAPS = {"mask": "matte", "depth": "depth"}
"""Role of a layer in the group -> name of its plane on the wire."""
ROLES = ("composite", *MAPS, "rest")
REMEMBERED = 32
"""Groups that are kept in mind though they are gone: Undo may bring each of them back."""


@dataclass(frozen=True)
class Record:
    """One group: settings, layers and fingerprints, no pixels.

    Parameters
    ----------
    parameters
        The settings of the last render.
    source
        The layer that was blurred.
    source_digest
        Fingerprint of its pixels.
    members
        Role -> layer.
    digests
        Fingerprints of the members as they were made: tell what was painted on.
    """

    parameters: Parameters
    source: str
    source_digest: str
    members: Mapping[str, str]
    digests: Mapping[str, str]

    def with_member(self, role: str, number: str, digest: str) -> Record:
        """Return the record with a new layer in a role."""
        return dataclasses.replace(
            self,
            members={**self.members, role: number},
            digests={**self.digests, role: digest},
        )

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Record:
        """Take apart what `dataclasses.asdict` gave; raises ValueError, KeyError or TypeError."""
        return cls(
            Parameters.from_record(fields["parameters"]),
            str(fields["source"]),
            str(fields["source_digest"]),
            {str(role): str(each) for role, each in fields["members"].items()},
            {str(role): str(each) for role, each in fields["digests"].items()},
        )


def records(document: Any) -> dict[str, Record]:
    """Return the groups of a document by their numbers.

    Raises
    ------
    PluginError
        The annotation is damaged.
    """
    if KEY not in document.annotationTypes():
        return {}
    try:
        groups = json.loads(bytes(document.annotation(KEY)))["groups"]
        return {str(number): Record.read(fields) for number, fields in groups.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PluginError(
            tr(
                "The settings of the Bokeh groups kept in this document are damaged. Copy the "
                "photo's layer into a new document and choose Bokeh there."
            )
        ) from error


def keep(document: Any, number: str, record: Record) -> None:
    """Keep a group's record beside those of the others."""
    before = records(document)
    gone = [each for each in before if layer(document, each) is None][:-REMEMBERED]
    groups = {each: kept for each, kept in before.items() if each not in gone}
    groups[number] = record
    fields = {name: dataclasses.asdict(each) for name, each in groups.items()}
    data = json.dumps({"version": 1, "groups": fields}).encode()
    document.setAnnotation(KEY, DESCRIPTION, QtCore.QByteArray(data))


def number(node: Any) -> str:
    """Return a layer's unique number."""
    return str(node.uniqueId().toString())


def layer(document: Any, wanted: str) -> Any:
    """Return the layer with a number; None when it is not in the document (any more)."""
    return document.nodeByUniqueID(QtCore.QUuid(wanted)) if wanted else None
