# What `gimp_plugin` uses, as PyGObject overrides it.

from collections.abc import Callable
from typing import Any

TYPE_NONE: Any

class Object:
    __gtype__: Any
    def __init__(self, **properties: Any) -> None: ...
    def get_property(self, property_name: str) -> Any: ...
    def set_property(self, property_name: str, value: Any) -> None: ...
    def connect(self, detailed_signal: str, handler: Callable[..., Any], *args: Any) -> int: ...
    def disconnect(self, handler_id: int) -> None: ...

class Value:
    def __init__(self, value_type: Any, py_value: Any = None) -> None: ...

class ParamFlags(int):
    READWRITE: ParamFlags
