"""Says what GIMP's libraries hold of some names; runs in GIMP's Python, for tests/gimp/stubs.py.

Reads versions and names as JSON, writes for each module: name -> what it is.
"""

import json
import sys

import gi
from gi._gi import Direction, Repository

CLASSES = ("ObjectInfo", "StructInfo", "InterfaceInfo", "UnionInfo")
OBJECTS = {("GObject", "Object"), ("GObject", "InitiallyUnowned")}
PLAIN = {
    "gboolean": "bool",
    "utf8": "str",
    "filename": "str",
    "void": "None",
    "gunichar": "int",
    "gfloat": "float",
    "gdouble": "float",
    **{f"{sign}int{bits}": "int" for sign in ("g", "gu") for bits in (8, 16, 32, 64)},
}


class Survey:
    """What was found, and what is still to be looked at: a class brings those it names."""

    def __init__(self, versions, modules, attributes):
        self.repository = Repository.get_default()
        for module, version in versions.items():
            gi.require_version(module, version)
            self.repository.require(module, version)
        self.attributes = set(attributes)
        self.done = {module: {} for module in versions}
        self.queue = [(module, name) for module, found in modules.items() for name in found]

    def all(self):
        """Look at everything."""
        while self.queue:
            module, name = self.queue.pop()
            if name not in self.done[module]:
                self.done[module][name] = {"what": "constant"}  # also where it names itself
                info = self.repository.find_by_name(module, name)
                self.done[module][name] = self.entry(info)
        return self.done

    def entry(self, info):
        """Say what one name is."""
        what = type(info).__name__
        if what == "FunctionInfo":
            return {"what": "function", **self.function(info)}
        if what == "EnumInfo":
            values = [value.get_name().upper() for value in info.get_values()]
            return {"what": "enum", "values": [v for v in values if v in self.attributes]}
        if what in CLASSES:
            parent = info.get_parent() if what == "ObjectInfo" else None
            above = None if parent is None else self.named(parent).replace("Any", "GObject.Object")
            kept = [each for each in self.methods(info) if each.get_name() in self.attributes]
            return {"what": "class", "parent": above, "methods": list(map(self.function, kept))}
        return {"what": "constant"}

    def methods(self, info):
        """Return a class's own methods, and those of the interfaces it has."""
        own = list(info.get_methods())
        if type(info).__name__ == "ObjectInfo":
            names = {each.get_name() for each in own}
            lent = [each for face in info.get_interfaces() for each in face.get_methods()]
            own += [each for each in lent if each.get_name() not in names]
        return own

    def function(self, info):
        """Return arguments and results as PyGObject has them: lengths, destroyers are its own."""
        arguments, result = info.get_arguments(), info.get_return_type()
        hidden = {each.get_destroy() for each in arguments}
        hidden |= {length(each.get_type()) for each in arguments} | {length(result)}
        given, outs = [], []
        for each in (each for number, each in enumerate(arguments) if number not in hidden):
            kind = self.kind(each.get_type())
            if each.get_direction() == Direction.OUT:
                outs.append(kind)
            else:
                given.append((each.get_name(), optional(kind, each.may_be_null())))
        answer = self.named(info.get_container()) if info.is_constructor() else self.kind(result)
        results = [optional(answer, info.may_return_null()), *outs]
        if outs and answer == "None":
            del results[0]
        returns = results[0] if len(results) == 1 else f"tuple[{', '.join(results)}]"
        method = info.get_container() is not None and info.is_method()
        return {"name": info.get_name(), "method": method, "args": given, "returns": returns}

    def kind(self, info):
        """Return Python's word for a type."""
        tag = info.get_tag_as_string()
        if tag == "void" and info.is_pointer():
            return "Any"
        if tag in ("array", "glist", "gslist"):
            inner = info.get_param_type(0)
            bytes_too = inner.get_tag_as_string() in ("gint8", "guint8")
            return "bytes" if bytes_too else f"list[{self.kind(inner)}]"
        if tag == "interface":
            return self.interface(info.get_interface())
        return PLAIN.get(tag, "Any")

    def interface(self, info):
        """Return the word for what is no plain type."""
        what = type(info).__name__
        if what == "CallbackInfo":
            return "Callable[..., Any]"
        if (info.get_namespace(), info.get_name()) == ("GLib", "Bytes"):
            return "GLib.Bytes"
        return self.named(info) if what in (*CLASSES, "EnumInfo") else "Any"

    def named(self, info):
        """Name a class, and look at it later."""
        module, name = info.get_namespace(), info.get_name()
        if module not in self.done:
            return "GObject.Object" if (module, name) in OBJECTS else "Any"
        self.queue.append((module, name))
        return f"{module}.{name}"


def length(info):
    """Return the number of the argument that says how long an array is; -1: none."""
    return info.get_array_length() if info.get_tag_as_string() == "array" else -1


def optional(kind, may_be_null):
    """Add None to a type."""
    return f"{kind} | None" if may_be_null and kind not in ("Any", "None") else kind


versions, names = json.load(sys.stdin)
print(json.dumps(Survey(versions, names["modules"], names["attributes"]).all()))
