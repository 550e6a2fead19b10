"""The list of the presets: the ready-made ones and the user's own, saved and deleted here."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from daemon.light import own_presets
from daemon.light.dialog import after_change, look_in_words, presets, with_preset
from daemon.light.discs import disc
from daemon.light.errors import PluginError
from daemon.light.parameters import PRESETS, look_of
from daemon.light.words import tr
from krita_plugin import aperture_picture
from krita_plugin.qt import QtCore, QtGui, QtWidgets, Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.light.parameters import Parameters

CHANGED = ""
"""What stands for no preset in the list."""


class PresetRow(QtWidgets.QWidget):
    """A list of the presets, with buttons to save the settings under a name and to delete those."""

    chosen = Signal(object)
    """Other settings, which a preset has brought."""

    def __init__(self, parameters: Parameters, hint: str) -> None:
        super().__init__()
        self._parameters = parameters
        self.own: dict[str, dict[str, Any]] = {}
        self.list = QtWidgets.QComboBox()
        self.list.setSizeAdjustPolicy(
            QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.list.setMinimumContentsLength(14)
        self.list.setIconSize(QtCore.QSize(24, 24))
        self.list.setToolTip(hint)
        self.list.currentIndexChanged.connect(lambda _index: self._on_choice())
        self._complaint = QtWidgets.QLabel()
        self._complaint.setWordWrap(True)
        self._complaint.setVisible(False)
        save = _button("document-save", tr("Save these settings as a preset of your own"))
        self.delete = _button("edit-delete", tr("Delete this preset of your own"))
        save.clicked.connect(lambda: self._tried(self._ask_and_save))
        self.delete.clicked.connect(lambda: self._tried(self._remove))
        row = QtWidgets.QHBoxLayout()
        row.addWidget(self.list, 1)
        row.addWidget(save)
        row.addWidget(self.delete)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self._complaint)
        self._tried(self.load)
        self.show_look(parameters)

    def show_look(self, parameters: Parameters) -> None:
        """Show which preset the settings are, or were before they were changed."""
        self._parameters = parameters
        said, choices = look_in_words(parameters, self.own), presets(self.own)
        named = (parameters.based_on, said) in choices
        self.list.blockSignals(True)
        self.list.clear()
        looks = {**PRESETS, **self.own, CHANGED: look_of(parameters)}
        for name, label in choices if named else [(CHANGED, said), *choices]:
            self.list.addItem(_drawn(looks[name]), label, name)
        self.list.setCurrentIndex(self.list.findData(parameters.based_on if named else CHANGED))
        self.list.blockSignals(False)
        self.delete.setEnabled(parameters.based_on in self.own)

    def load(self) -> None:
        """Read the user's presets again, as another program may have changed them.

        Raises
        ------
        PluginError
            The file cannot be read.
        """
        self.own = own_presets.load()

    def save(self, name: str) -> None:
        """Save the settings under a name.

        Raises
        ------
        PluginError
            The name does not do, or the file cannot be read or written.
        """
        name = own_presets.save(name, self._parameters)
        self.load()
        self.chosen.emit(with_preset(self._parameters, name, self.own))

    def _on_choice(self) -> None:
        name = self.list.currentData()
        if name:
            self.chosen.emit(with_preset(self._parameters, name, self.own))

    def _ask_and_save(self) -> None:
        self.load()
        based_on = self._parameters.based_on
        usual = based_on if based_on in self.own else ""
        title = tr("Save these settings as a preset of your own")
        name, wanted = QtWidgets.QInputDialog.getText(
            self, title, tr("Name of the preset"), text=usual
        )
        if wanted and (name.strip() not in self.own or self._may_replace(title, name.strip())):
            self.save(name)

    def _may_replace(self, title: str, name: str) -> bool:
        said = tr("Replace {preset}?").format(preset=name)
        answer = QtWidgets.QMessageBox.question(self, title, said)
        return bool(answer == QtWidgets.QMessageBox.StandardButton.Yes)

    def _remove(self) -> None:
        own_presets.remove(self._parameters.based_on)
        self.load()
        bare = dataclasses.replace(self._parameters, based_on="")
        self.chosen.emit(after_change(bare, "style", self.own))

    def _tried(self, action: Callable[[], None]) -> None:
        """Do something with the file; what goes wrong stays to be read under the list."""
        try:
            action()
        except PluginError as error:
            self._complaint.setText(str(error))
            self._complaint.setVisible(True)
        else:
            self._complaint.setVisible(False)


def _drawn(look: Mapping[str, Any]) -> QtGui.QIcon:
    """Show what a point of light becomes with a look."""
    own = look.get("aperture_picture")
    return aperture_picture.drawn(own) if own else QtGui.QIcon(str(disc(look)))


def _button(icon: str, hint: str) -> QtWidgets.QToolButton:
    import krita  # noqa: PLC0415 - only there inside of Krita

    button = QtWidgets.QToolButton()
    button.setIcon(krita.Krita.instance().icon(icon))
    button.setToolTip(hint)
    button.setAccessibleName(hint)
    return button
