"""The procedures GIMP knows: names, menu entries, help texts and arguments."""

from __future__ import annotations

import dataclasses
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daemon.light.parameters import Parameters
from daemon.light.words import tr
from gimp_plugin.bindings import Gimp, GObject

if TYPE_CHECKING:
    from collections.abc import Callable

MENU = "<Image>/Filters/Bokeh"
READWRITE = GObject.ParamFlags.READWRITE
CLICKED_IN = "clicked-in"
"""Argument with the digest of the photo that the focus point was clicked in."""


@dataclass(frozen=True)
class Entry:
    """One procedure: where its tool is, and its words."""

    module: str
    label: str
    blurb: str
    help: str
    menus: tuple[str, ...] = (MENU,)
    arguments: tuple[str, ...] = ()
    returns: tuple[tuple[str, str], ...] = ()


ALL = tuple(field.name for field in dataclasses.fields(Parameters))
LAYERS = (
    ("group", "The layer group"),
    ("composite", "The blurred picture"),
    ("mask", "1 = subject"),
    ("depth", "1 = nearest"),
)

# GIMP sorts a menu by its words: the entry that everybody needs comes first, in every language
PROCEDURES = {
    "plug-in-bokeh-portrait": Entry(
        "portrait",
        "_Portrait Bokeh...",
        "Blur the background of a portrait as a fast lens would",
        "Adds a layer group with the result (Composite) and the maps it was made from (Mask, "
        "Depth). Paint on the maps and call Re-render. On a layer of such a group it re-renders "
        "with the given settings.",
        menus=(MENU, "<Image>/Filters/Blur"),
        arguments=("ignore_selection", *ALL),
        returns=LAYERS,
    ),
    "plug-in-bokeh-rerender": Entry(
        "rerender",
        "_Re-render...",
        "Make the Composite again from the painted Mask and Depth",
        "The active layer is one of a Bokeh group, or the photo that one was made from; without "
        "any, the dialog makes one. Scripts get the settings kept in the group unless "
        "keep-settings is false: then those given.",
        arguments=("keep_settings", "ignore_selection", *ALL),
        returns=LAYERS,
    ),
    "plug-in-bokeh-focus-here": Entry(
        "focus_here",
        "Re_focus Here",
        "Render with the focus at the centre of the selection",
        "The active layer is one of a Bokeh group, or the photo that one was made from; without "
        "any, a group is made with the focus there. Without selection the dialog opens, to "
        "click the point in its preview. Scripts can give the point; -1 means the selection's "
        "centre.",
        arguments=("x", "y"),
        returns=LAYERS,
    ),
    "plug-in-bokeh-select-subject": Entry(
        "select_subject",
        "Select _Subject",
        "Select the people in the picture, with soft edges",
        "Combines the portrait matte of the active layer with the selection.",
        menus=(MENU, "<Image>/Select/[Select]"),
        arguments=("operation",),
    ),
    "plug-in-bokeh-depth-map": Entry(
        "depth_map",
        "S_cene Depth",
        "Add the estimated depth as a layer: white is near",
        "Adds one layer above the active one: relative disparity, 1 = nearest.",
        returns=(("depth", "1 = nearest"),),
    ),
    "plug-in-bokeh-settings": Entry(
        "settings",
        "S_ettings and Status...",
        "Look at the daemon that does the computing",
        "Shows whether the daemon runs, its device, models and memory, and starts or stops it. "
        "Scripts get the state as JSON.",
        arguments=("action",),
    ),
}


def create(plug_in: Gimp.PlugIn, name: str, run: Callable[..., Any]) -> Gimp.Procedure:
    """Make the procedure `name`, whose calls go to `run`."""
    entry = PROCEDURES[name]
    settings = entry.module == "settings"
    kind = Gimp.Procedure if settings else Gimp.ImageProcedure
    procedure = kind.new(plug_in, name, Gimp.PDBProcType.PLUGIN, run, None)
    procedure.set_menu_label(tr(entry.label))
    for menu in entry.menus:
        procedure.add_menu_path(menu)
    procedure.set_documentation(tr(entry.blurb), entry.help, None)
    procedure.set_attribution("defocus", "defocus", "2026")
    if settings:
        procedure.add_enum_argument(
            "run-mode", "Run mode", None, Gimp.RunMode, Gimp.RunMode.NONINTERACTIVE, READWRITE
        )
        procedure.add_string_return_value(
            "state", "State", "The daemon's state as JSON", "", READWRITE
        )
    else:
        procedure.set_image_types("RGB*, GRAY*")
        procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.DRAWABLE)
    for argument in entry.arguments:
        _add(procedure, argument)
    if "focus" in entry.arguments:
        words = "Clicked in", "The photo that the focus point was clicked in; another has its own"
        procedure.add_string_aux_argument(CLICKED_IN, *words, "", READWRITE)
    for layer, blurb in entry.returns:
        procedure.add_layer_return_value(layer, layer.capitalize(), blurb, True, READWRITE)
    return procedure


def tool(name: str) -> Callable[..., Gimp.ValueArray]:
    """Import the tool behind a procedure and give its `run`."""
    module = importlib.import_module(f"gimp_plugin.tools.{PROCEDURES[name].module}")
    run: Callable[..., Gimp.ValueArray] = module.run
    return run


def _add(procedure: Gimp.Procedure, name: str) -> None:
    fields = {field.name: field for field in dataclasses.fields(Parameters)}
    if name in fields:
        _add_parameter(procedure, name.replace("_", "-"), fields[name])
    elif name == "keep_settings":
        blurb = "Use the settings kept in the group instead of those given"
        procedure.add_boolean_argument("keep-settings", "Kee_p settings", blurb, True, READWRITE)
    elif name == "ignore_selection":
        label = "Blur every_where"
        blurb = "Blur the whole layer; else a new group shows the blur inside the selection only"
        procedure.add_boolean_argument("ignore-selection", label, blurb, False, READWRITE)
    elif name in {"x", "y"}:
        side = "width" if name == "x" else "height"
        blurb = f"Focus point as a fraction of the source's {side}; -1: centre of the selection"
        procedure.add_double_argument(name, f"_{name}", blurb, -1.0, 1.0, -1.0, READWRITE)
    elif name == "operation":
        _add_choice(
            procedure,
            name,
            ("_Operation", "How to combine with the selection"),
            {"replace": "Replace", "add": "Add", "subtract": "Subtract", "intersect": "Intersect"},
            "replace",
        )
    elif name == "action":
        actions = {"status": "Status", "start": "Start the daemon", "stop": "Stop the daemon"}
        _add_choice(procedure, name, ("_Action", "What to do"), actions, "status")


def _add_parameter(procedure: Gimp.Procedure, name: str, field: dataclasses.Field[Any]) -> None:
    label, blurb = tr(field.metadata["label"]), tr(field.metadata["help"])
    if "choices" in field.metadata:
        _add_choice(procedure, name, (label, blurb), field.metadata["choices"], str(field.default))
    elif isinstance(field.default, bool):
        procedure.add_boolean_argument(name, label, blurb, field.default, READWRITE)
    elif isinstance(field.default, str):
        procedure.add_string_argument(name, label, blurb, field.default, READWRITE)
    else:
        add = "add_int_argument" if isinstance(field.default, int) else "add_double_argument"
        low, high = field.metadata["low"], field.metadata["high"]
        getattr(procedure, add)(name, label, blurb, low, high, field.default, READWRITE)


def _add_choice(
    procedure: Gimp.Procedure,
    name: str,
    words: tuple[str, str],
    choices: dict[str, str],
    default: str,
) -> None:
    choice = Gimp.Choice.new()
    for position, (nick, label) in enumerate(choices.items()):
        choice.add(nick, position, tr(label), "")
    procedure.add_choice_argument(name, *words, choice, default, READWRITE)
