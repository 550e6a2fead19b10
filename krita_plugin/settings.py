"""The widgets of the settings, made from what the light client knows of each."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from daemon.light.dialog import PAGES, TOP, after_change, without_effect
from daemon.light.parameters import Parameters
from daemon.light.words import tr
from krita_plugin.aperture_picture import Picture
from krita_plugin.presets import PresetRow
from krita_plugin.qt import QtCore, QtWidgets, Signal, label

FIELDS = {field.name: field for field in dataclasses.fields(Parameters)}
STEPS = 1000  # of a slider
LOGARITHMIC = {"f_number"}


class Number(QtWidgets.QWidget):
    """A slider with a box for the number; the box has the exact value."""

    changed = Signal()

    def __init__(self, field: dataclasses.Field[Any]) -> None:
        super().__init__()
        low, high = field.metadata["low"], field.metadata["high"]
        self._whole = isinstance(field.default, int)
        self._scale = math.log if field.name in LOGARITHMIC else float
        self._back = math.exp if field.name in LOGARITHMIC else float
        self._range = self._scale(low), self._scale(high)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self.slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self.slider.setRange(0, STEPS)
        self.box = QtWidgets.QSpinBox() if self._whole else QtWidgets.QDoubleSpinBox()
        self.box.setRange(low, high)
        if not self._whole:
            self.box.setDecimals(2)
            self.box.setSingleStep((high - low) / 100)
        self.box.setKeyboardTracking(False)
        row.addWidget(self.slider, 1)
        row.addWidget(self.box)
        self.slider.valueChanged.connect(self._slid)
        self.box.valueChanged.connect(self._typed)

    def value(self) -> float:
        """Return the number, whole where only whole ones are meant."""
        return int(self.box.value()) if self._whole else float(self.box.value())

    def set_value(self, value: float) -> None:
        """Set the number; nobody is told."""
        for widget in (self.box, self.slider):
            widget.blockSignals(True)
        self.box.setValue(value)
        self._follow()
        for widget in (self.box, self.slider):
            widget.blockSignals(False)

    def _slid(self, step: int) -> None:
        low, high = self._range
        value = self._back(low + (high - low) * step / STEPS)
        self.box.blockSignals(True)
        self.box.setValue(round(value) if self._whole else value)
        self.box.blockSignals(False)
        self.changed.emit()

    def _typed(self) -> None:
        self.slider.blockSignals(True)
        self._follow()
        self.slider.blockSignals(False)
        self.changed.emit()

    def _follow(self) -> None:
        low, high = self._range
        self.slider.setValue(round(STEPS * (self._scale(self.box.value()) - low) / (high - low)))


class Choice(QtWidgets.QComboBox):
    """One of several words."""

    changed = Signal()

    def __init__(self, field: dataclasses.Field[Any]) -> None:
        super().__init__()
        for word, said in field.metadata["choices"].items():
            self.addItem(tr(said), word)
        self.setSizeAdjustPolicy(
            QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.setMinimumContentsLength(18)
        self.currentIndexChanged.connect(lambda _index: self.changed.emit())

    def value(self) -> str:
        """Return the word."""
        return str(self.currentData())

    def set_value(self, value: str) -> None:
        """Choose a word; nobody is told."""
        self.blockSignals(True)
        self.setCurrentIndex(self.findData(value))
        self.blockSignals(False)


class Switch(QtWidgets.QCheckBox):
    """On or off."""

    changed = Signal()

    def __init__(self, field: dataclasses.Field[Any]) -> None:
        super().__init__(label(field.metadata["label"]))
        self.toggled.connect(lambda _on: self.changed.emit())

    def value(self) -> bool:
        """Return whether it is on."""
        return bool(self.isChecked())

    def set_value(self, value: bool) -> None:
        """Switch it; nobody is told."""
        self.blockSignals(True)
        self.setChecked(value)
        self.blockSignals(False)


def _widget(field: dataclasses.Field[Any]) -> Choice | Number | Picture | Switch:
    """Make what sets a field."""
    if "choices" in field.metadata:
        return Choice(field)
    if isinstance(field.default, bool):
        return Switch(field)
    return Picture(field) if isinstance(field.default, str) else Number(field)


class Settings(QtWidgets.QWidget):
    """All settings: the look on top, the rest on pages."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.widgets: dict[str, Any] = {}
        self._labels: dict[str, QtWidgets.QLabel] = {}
        self._parameters = Parameters()
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.presets = PresetRow(self._parameters, tr(FIELDS["preset"].metadata["help"]))
        self.presets.chosen.connect(self._on_preset)
        column.addWidget(self._form(TOP))
        pages = QtWidgets.QTabWidget()
        for title, names in PAGES.items():
            pages.addTab(self._form(names), tr(title))
        column.addWidget(pages)
        column.addStretch(1)
        self.fill(self._parameters)

    @property
    def parameters(self) -> Parameters:
        """The settings as they are shown."""
        return self._parameters

    def fill(self, parameters: Parameters) -> None:
        """Show other settings; nobody is told."""
        self._parameters = parameters = after_change(parameters, "style", self.presets.own)
        idle = without_effect(parameters)
        self.presets.show_look(parameters)
        for name, widget in self.widgets.items():
            if widget.value() != getattr(parameters, name):
                widget.set_value(getattr(parameters, name))
            widget.setEnabled(name not in idle)
            if name in self._labels:
                self._labels[name].setEnabled(name not in idle)

    def _form(self, names: tuple[str, ...]) -> QtWidgets.QWidget:
        page = QtWidgets.QWidget()
        form = QtWidgets.QFormLayout(page)
        for name in names:
            field = FIELDS[name]
            if name == "preset":
                said = QtWidgets.QLabel(label(field.metadata["label"]))
                said.setBuddy(self.presets.list)
                form.addRow(said, self.presets)
                continue
            widget = _widget(field)
            widget.setToolTip(tr(field.metadata["help"]))
            widget.changed.connect(lambda name=name: self._on_change(name))
            self.widgets[name] = widget
            if isinstance(widget, Switch | Picture):
                form.addRow(widget)
            else:
                said = QtWidgets.QLabel(label(field.metadata["label"]))
                said.setBuddy(widget)
                self._labels[name] = said
                form.addRow(said, widget)
        return page

    def _on_change(self, name: str) -> None:
        change: dict[str, Any] = {name: self.widgets[name].value()}
        self.fill(dataclasses.replace(self._parameters, **change))
        self.changed.emit()

    def _on_preset(self, parameters: Parameters) -> None:
        self.fill(parameters)
        self.changed.emit()
