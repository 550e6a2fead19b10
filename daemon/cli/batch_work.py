"""What `defocus batch` does with one photo, and the settings that each of them gets."""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn

from bokeh_core import progress
from bokeh_core.errors import InputError, reason
from daemon.batch.runner import Order
from daemon.batch.work import Made
from daemon.cli import argtypes, backend, develop, error_text, maps, options
from daemon.light.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from daemon.batch.runner import Item
    from daemon.batch.settings import Rule


@dataclass(frozen=True)
class Developing:
    """Blurs a photo like `defocus photo`.

    Attributes
    ----------
    settings
        Options by name, as `options` parses them.
    device
        Of the engine; it is loaded once in a process.
    kernel
        Content of `--kernel`'s file, which a worker elsewhere does not have.
    """

    settings: dict[str, Any]
    device: str | None
    kernel: bytes | None = None

    def __call__(self, source: Path | None, folder: Path) -> Made:
        """Write the results below `folder`."""
        assert source is not None
        args = argparse.Namespace(**self.settings, sources=[source], out=f"{folder}/")
        if self.kernel is not None:
            args.kernel = folder / f"kernel{Path(args.kernel).suffix}"
            args.kernel.write_bytes(self.kernel)
        options.open_models(args)
        planned = develop.plan(args, source, inputs=frozenset())
        made = studio(self.device).make(planned.order.job(), progress.ignore)
        lost = develop.save(planned, made, args.quality)
        picture = planned.order.picture
        return Made(
            files=dict(planned.paths),
            facts={"size": [picture.width, picture.height], "focus": made.focus},
            notes=(*picture.notes, *made.notes, *planned.notes, *lost),
            device=made.where.removeprefix("here, "),
        )

    def explain(self, error: Exception) -> str:
        """Word an error."""
        return error_text.words(error)


@functools.lru_cache(maxsize=1)
def studio(device: str | None) -> backend.Here:
    """Return this process's engine; nothing is cached, as no photo of a batch comes twice."""
    return backend.Here(device, cache_bytes=0)


class Orders:
    """Gives each photo of a batch its order.

    Parameters
    ----------
    args
        The command line, parsed.
    configure
        Declares the command's options.
    rules
        Of the settings file. What the command line says counts more.

    Raises
    ------
    InputError
        A rule names an option that there is not, or a wrong value; from a call also: the options
        that come together for a photo contradict each other.
    """

    def __init__(
        self,
        args: argparse.Namespace,
        configure: Callable[[argparse.ArgumentParser], None],
        rules: Sequence[Rule],
    ) -> None:
        self._words: Sequence[str] = args.words
        self._device: str | None = args.device
        self._rules = rules
        self._parser = _Refusing(prog="together")
        configure(self._parser)
        usual = _settings_parser("").parse_args([])
        self._usual = vars(usual)
        for rule in rules:
            _settings_parser(rule.where).parse_args(rule.words)
        self._known: dict[tuple[str, ...], tuple[Developing, dict[str, Any]]] = {}

    def __call__(self, item: Item) -> Order:
        """Return the order of one photo."""
        words = tuple(word for rule in self._rules if rule.matches(item.key) for word in rule.words)
        if words not in self._known:
            self._known[words] = self._read(words)
        work, settings = self._known[words]
        return Order(work, settings, PurePosixPath(item.key).parent)

    def _read(self, words: tuple[str, ...]) -> tuple[Developing, dict[str, Any]]:
        args = self._parser.parse_intermixed_args([*words, *self._words])
        options.check(args)
        maps.check(args)
        if maps.files_of(args):
            raise InputError("--depth FILE: one map cannot belong to several photos")
        given = {name: getattr(args, name) for name in self._usual}
        told = {name: value for name, value in given.items() if value != self._usual[name]}
        if isinstance(args.preset, Parameters):  # one's own, which may change under the same name
            told["preset"] = args.preset.record()
        kernel = None
        if args.kernel is not None:
            try:
                kernel = args.kernel.read_bytes()
            except OSError as error:
                raise InputError(f"{args.kernel}: {reason(error)}") from None
            told["kernel"] = hashlib.sha256(kernel).hexdigest()
        return Developing(given, self._device, kernel), json.loads(json.dumps(told))


class _Refusing(argtypes.Parser):
    """Raises what is wrong, instead of ending the program."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{self.prog}: {message}")


def _settings_parser(where: str) -> argparse.ArgumentParser:
    """Make the parser of what decides results: only that may differ from photo to photo."""
    parser = _Refusing(prog=where, add_help=False, allow_abbrev=False)
    maps.add(parser, files=False)
    options.add_lens(parser)
    options.add_models(options.add_results(parser))
    return parser
