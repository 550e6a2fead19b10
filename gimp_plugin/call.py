"""One call of a procedure: what GIMP hands over, and what goes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gimp_plugin import source
from gimp_plugin.bindings import Gimp, GObject

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Call:
    """What a tool is called with.

    Parameters
    ----------
    procedure, config
        The procedure and its arguments.
    interactive
        Whether somebody is there to answer a dialog.
    repeated
        Whether the arguments are those of the last call, for another layer (Repeat Filter).
    image_given, drawables
        The image and what is active in it; None and nothing for a procedure without image.
    """

    procedure: Gimp.Procedure
    config: Gimp.ProcedureConfig
    interactive: bool
    repeated: bool
    image_given: Gimp.Image | None = None
    drawables: Sequence[Gimp.Drawable] = ()

    @classmethod
    def of(cls, procedure: Gimp.Procedure, *given: Any) -> Call:
        """Understand both of GIMP's ways to call: with an image, and without one."""
        if isinstance(procedure, Gimp.ImageProcedure):
            mode, image, drawables, config, _ = given
            return cls(procedure, config, *_modes(mode), image, drawables)
        config, _ = given
        return cls(procedure, config, *_modes(config.get_property("run-mode")))

    @property
    def image(self) -> Gimp.Image:
        """The image of a procedure that has one."""
        assert self.image_given is not None
        return self.image_given

    def layer(self) -> Gimp.Layer:
        """Return the one active layer.

        Raises
        ------
        PluginError
            As `source.active_layer`.
        """
        return source.active_layer(self.image, self.drawables)

    def done(self, *results: Gimp.Layer | str | None) -> Gimp.ValueArray:
        """Return layers, or a text, to the caller."""
        values = self.procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)
        for position, result in enumerate(results, start=1):
            kind = str if isinstance(result, str) else Gimp.Layer
            values.remove(position)
            values.insert(position, GObject.Value(kind, result))
        return values

    def cancelled(self) -> Gimp.ValueArray:
        """Tell the caller that the user thought better of it."""
        return self.procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)

    def ask(self, name: str) -> Gimp.ValueArray:
        """Call another procedure on the same layer, with its dialog."""
        registered = Gimp.get_pdb()
        assert registered is not None
        procedure = registered.lookup_procedure(name)
        assert procedure is not None
        config = procedure.create_config()
        config.set_property("run-mode", Gimp.RunMode.INTERACTIVE)
        config.set_property("image", self.image)
        config.set_core_object_array("drawables", list(self.drawables))
        return procedure.run(config)


def _modes(mode: Gimp.RunMode) -> tuple[bool, bool]:
    return mode == Gimp.RunMode.INTERACTIVE, mode == Gimp.RunMode.WITH_LAST_VALS
