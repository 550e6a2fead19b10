"""Nothing that a user reads is written down where no translation reaches it."""

from __future__ import annotations

import ast
import re

import pytest

from tests.light import translations

PROSE = re.compile(r"[^\W\d_]{2,},? [^\W\d_]{2,}")
"""Two words: a key, a signal or a format has only one."""
TECHNICAL = {"ProtocolError", "ValueError", "OSError", "TypeError", "OverflowError"}
"""Errors whose words a translated sentence takes in, for whoever has to find the cause."""
SHOWN = {
    "add_button",
    "new_with_label",
    "new_with_label_from_widget",
    "progress_init",
    "progress_set_text",
    "say",
    "set_label",
    "set_name",
    "set_placeholder_text",
    "set_text",
    "set_title",
    "set_tooltip_text",
}
"""Methods of widgets that show what they are given."""
PROPERTIES = {"label", "title", "tooltip_text"}
ELSEWHERE = {
    "daemon/light/facts.py": "looks, with their settings",
    "daemon/light/msgpack.py": "technical, as above",
    "daemon/light/parameters.py": "settings: `test_translations` knows them all",
    "daemon/light/zmtp.py": "technical, as above",
    "gimp_plugin/procedures.py": "the Procedure Browser's, for who writes scripts",
}
ENGLISH = {
    "Application Support": "a folder",
    "YaA float": "pixels",
    "Composite, painted by hand": "a layer, as Composite, Mask and Depth are: files are exchanged",
    "Depth map": "a layer",
    'no "presets" in it': "technical",
    "its format is , not ": "technical",
    "python3 install.py doctor --mend": "a command",
    "bokeh previews": "a thread",
    "bokeh job": "another",
    "Settings of the Bokeh groups in this picture": "of an annotation, which Krita never shows",
    "another plug-in has brought a module called daemon: ": "for that one's author",
}
PATHS = [
    path
    for folder in ("gimp_plugin", "krita_plugin", "daemon/light")
    for path in sorted((translations.ROOT / folder).rglob("*.py"))
    if path.relative_to(translations.ROOT).as_posix() not in ELSEWHERE
]


def called(node):
    """The name of what is called."""
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def text_of(node):
    """The words of a literal, without what is filled in."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(each.value) for each in parts if isinstance(each, ast.Constant))


def english(tree):
    """Lines and words of what a user may read in English only."""
    passed = {id(each) for node in ast.walk(tree) for each in translated(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            named = [each.value for each in node.keywords if each.arg in PROPERTIES]
            for given in [*(node.args[:1] if called(node) in SHOWN else []), *named]:
                # a table's words, or one's own, have to go through `tr` on the way
                words = isinstance(given, ast.Constant) and given.value
                if words or isinstance(given, ast.Subscript):
                    yield given.lineno, ast.unparse(given)
        literal = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if id(node) not in passed and (literal or isinstance(node, ast.JoinedStr)):
            text = text_of(node)
            if PROSE.search(text):
                yield node.lineno, text


def translated(node):
    """What of a node is no literal that a user reads as it stands."""
    parts = []
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        parts = [node.value]  # a docstring
    elif isinstance(node, ast.Call) and called(node) in {"tr", *TECHNICAL}:
        parts = node.args
    elif isinstance(node, ast.JoinedStr):
        parts = node.values  # looked at as a whole
    return [each for part in parts for each in ast.walk(part)]


def test_what_a_user_reads_goes_through_gettext():
    known = set(translations.words())
    found = [
        (f"{path.relative_to(translations.ROOT)}:{line}", text)
        for path in PATHS
        for line, text in english(ast.parse(path.read_text(encoding="utf-8")))
        if text not in known
    ]
    assert [each for each in found if each[1] not in ENGLISH] == [], "give it to `tr`"
    assert set(ENGLISH) - {text for _, text in found} == set(), "no exception without need"
    assert all((translations.ROOT / place).exists() for place in ELSEWHERE)


@pytest.mark.parametrize(
    "line",
    [
        'label.set_text("Ready")',
        "spin.set_name(WORDS[0])",
        'Gtk.Button(label="Again")',
        'raise PluginError("The picture is gone.")',
        'raise PluginError(f"The layer {name} is gone")',
        'preview.say(f"Waiting for {name} to end")',
    ],
)
def test_every_way_of_showing_english_is_noticed(line):
    assert list(english(ast.parse(line)))
