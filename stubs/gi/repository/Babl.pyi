# Written by tests/gimp/stubs.py from GIMP's introspection.
# mypy: disable-error-code="override"

from typing import Any

class Object:
    def __init__(self, **properties: Any) -> None: ...

def format_with_space(encoding_: str, space_: Object) -> Object: ...
def get_name(babl_: Object) -> str: ...
