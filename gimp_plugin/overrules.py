"""What overrules the settings, said below them: a selection, painted maps, the photo's own depth.

A failure is said there too. Each has the widget that ends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from daemon.light.parameters import Parameters
from daemon.light.words import tr
from gimp_plugin.notes import Notes, button
from gimp_plugin.widgets import Gtk

if TYPE_CHECKING:
    from gimp_plugin.arguments import Arguments
    from gimp_plugin.rendering import Render


class Owner(Protocol):
    """Whom a way out is told to."""

    def unpaint(self, name: str) -> None:
        """Leave out what was painted on a map."""

    def try_again(self) -> None:
        """Ask anew for what has failed."""


class Overrules(Notes):
    """The rows of a dialog.

    Parameters
    ----------
    arguments
        What two of the rows set.
    owner
        Told of the others.
    """

    def __init__(self, arguments: Arguments, owner: Owner) -> None:
        # no widgets of GIMP's, which want mnemonics that no other setting has, on any page
        self._everywhere = Gtk.CheckButton(label=tr("Blur every_where"), use_underline=True)
        self._everywhere.set_tooltip_text(tr("Pay no heed to the selection"))
        words = Parameters.__dataclass_fields__["own_depth"].metadata
        self._own = Gtk.CheckButton(label=tr(words["label"]), tooltip_text=tr(words["help"]))
        for box, name in ((self._everywhere, "ignore-selection"), (self._own, "own-depth")):
            box.connect("toggled", lambda box, name: arguments.choose(name, box.get_active()), name)
        super().__init__(
            {
                "file": ("", self._own),
                "selection": (tr("The blur shows only inside the selection."), self._everywhere),
                "limit": (tr("The Composite's layer mask limits where the blur shows."), None),
                "matte": (
                    tr("The painted Mask decides who is sharp."),
                    button(
                        tr("F_ind the people again"),
                        tr("Leave out what was painted on the Mask"),
                        owner.unpaint,
                        "matte",
                    ),
                ),
                "depth": (
                    tr("The painted Depth decides what is near."),
                    button(
                        tr("Esti_mate the depth again"),
                        tr("Leave out what was painted on the Depth"),
                        owner.unpaint,
                        "depth",
                    ),
                ),
                "failure": (
                    "",
                    button(tr("_Try again"), tr("Ask for the preview again"), owner.try_again),
                ),
            }
        )

    def show_those_of(
        self, render: Render, arguments: Arguments, *, limited: bool, failed: bool = False
    ) -> None:
        """Show what holds now.

        Parameters
        ----------
        render
            Whether maps are painted, and what the photo's file brings.
        arguments
            What is ticked.
        limited
            Whether a selection or a layer mask limits the blur.
        failed
            Whether there is something to try again.
        """
        self._everywhere.set_active(arguments.everywhere)
        self._own.set_active(arguments.now.own_depth)
        limit = "selection" if render.existing is None else "limit"
        file = render.file is not None and "depth" not in render.maps
        true = {"file": file, limit: limited, "failure": failed}
        self.show_only({*render.maps, *(name for name, holds in true.items() if holds)})
