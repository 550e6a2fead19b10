#!/usr/bin/env python3
"""The executable that GIMP starts: registers the procedures and hands each call to its tool.

At module level only the standard library and gi: an exception here would silently remove the menu.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, GLib  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FOLDER = Path(__file__).resolve().parent


def _own_package() -> None:
    """Import the folder of this file, whatever it is called, as the package `gimp_plugin`.

    The light client lies in it as `daemon.light`: ours, before any other package of that name.
    """
    if "gimp_plugin" not in sys.modules:
        sys.path.insert(0, str(FOLDER))
        spec = importlib.util.spec_from_file_location(
            "gimp_plugin", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
        )
        assert spec is not None
        assert spec.loader is not None
        sys.modules["gimp_plugin"] = package = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(package)


class Bokeh(Gimp.PlugIn):
    """GIMP asks this object which procedures there are, and to make the one it needs."""

    def do_set_i18n(self, _name: str) -> bool:
        """GIMP looks for no translations: ours come with the light client, for every editor."""
        return False

    def do_query_procedures(self) -> list[str]:
        """Name all procedures."""
        _own_package()
        return list(importlib.import_module("gimp_plugin.procedures").PROCEDURES)

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        """Make one procedure."""
        _own_package()
        made: Gimp.Procedure = importlib.import_module("gimp_plugin.procedures").create(
            self, name, _run
        )
        return made


def _run(procedure: Gimp.Procedure, *given: Any) -> Gimp.ValueArray:
    """Run a tool; every failure becomes one message and leaves the image as it was."""
    errors = importlib.import_module("daemon.light.errors")
    tr: Callable[[str], str] = importlib.import_module("daemon.light.words").tr
    try:
        procedures = importlib.import_module("gimp_plugin.procedures")
        tool: Callable[..., Gimp.ValueArray] = procedures.tool(procedure.get_name())
        call = importlib.import_module("gimp_plugin.call").Call.of(procedure, *given)
        return tool(call)
    except errors.Cancelled:
        return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
    except errors.PluginError as error:
        return _failed(procedure, str(error))
    except Exception as error:  # noqa: BLE001 - else the user only reads "plug-in crashed"
        traceback.print_exc()
        return _failed(
            procedure,
            tr(
                "Bokeh failed: {error}. The image is unchanged. Start GIMP in a terminal to see "
                "the details, and please report them."
            ).format(error=repr(error)),
        )


def _failed(procedure: Gimp.Procedure, message: str) -> Gimp.ValueArray:
    error = GLib.Error.new_literal(Gimp.PlugIn.error_quark(), message, 0)
    return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, error)


if __name__ == "__main__":
    Gimp.main(Bokeh.__gtype__, sys.argv)
