"""What a picture is blurred with: `Lens`, a physical one.

Numbers only: no torch and no pixels, so that a client can import it for free. Every field carries
its unit and range in `dataclasses.fields(...)[i].metadata`, from which help texts can be made.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bokeh_core.errors import InputError
from bokeh_core.limits import (
    MAX_KERNEL_SIDE,
    KernelImage,
    check_fields,
    checked_kernel,
    checked_point,
    number,
    physical,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


WIDEST = 1024.0
"""Largest `max_coc` in pixels."""
HEAD = 0.2
"""Share of the subject's pixels, from the top, that it is focused by."""
NEAR = 0.15
"""Share of the picture, weighted towards its middle, that is a thing large enough to focus on."""


@dataclass(frozen=True, kw_only=True)
class Lens:
    """A lens that blurs by depth; all defaults are neutral: a plain disc focused on the subject.

    A pixel's circle-of-confusion radius is `max_coc * |depth - focus|` pixels, see `coc`: of a
    disc, or of the circle on which the vertices of the blades are.

    Raises
    ------
    InputError
        A field is outside its range; the message names the field and the allowed range.
    """

    focus: float | None = number(
        None, 0.0, 1.0, "disparity", "depth in focus (1 = nearest); none = on the subject"
    )
    focus_point: tuple[float, float] | None = dataclasses.field(
        default=None,
        metadata={
            "low": 0.0,
            "high": 1.0,
            "unit": "fraction of width, height",
            "help": "focus on what is seen here; overrides focus",
        },
    )
    focus_range: float = number(
        0.0, 0.0, 1.0, "disparity", "depth around the focus that stays sharp, front to back"
    )
    max_coc: float = number(
        32.0, 0.0, WIDEST, "px", "blur radius one whole disparity unit away from the focus"
    )
    foreground: float = number(
        1.0, 0.0, 4.0, "factor", "blur of what is nearer than the focus; 0 = none"
    )
    blades: int = number(0, 3, 16, "count", "aperture blades; 0 = round", also=0)
    curvature: float = number(
        0.0, 0.0, 1.0, "fraction", "bend of the blades: 0 = straight edges, 1 = full circle"
    )
    rotation: float = number(
        0.0,
        -2 * math.pi,
        2 * math.pi,
        "rad",
        "angle of the first vertex, from +x towards +y (down)",
    )
    squeeze: float = number(
        1.0, 0.5, 2.0, "ratio", "anamorphic: height of the blur disc over its width, equal area"
    )
    cat_eye: float = number(
        0.0, 0.0, 1.0, "fraction", "clipping of the disc towards the corners (optical vignetting)"
    )
    ring: float = number(
        0.0,
        -1.0,
        1.0,
        "fraction",
        "rim of the disc: +1 = bright (soap bubble), -1 = faded (smooth)",
    )
    fringe: float = number(
        0.0, -0.3, 0.3, "fraction", "longitudinal colour: red disc wider, blue narrower, by this"
    )
    kernel: KernelImage | None = dataclasses.field(
        default=None,
        metadata={
            "low": 0.0,
            "high": math.inf,
            "unit": "relative light",
            "help": f"own aperture image, at most {MAX_KERNEL_SIDE} x {MAX_KERNEL_SIDE}; "
            "replaces blades, curvature and ring",
        },
    )
    highlight_gain: float = number(
        0.0, 0.0, 16.0, "factor", "light given back to small clipped highlights that are blurred"
    )
    highlight_threshold: float = number(
        0.95, 0.1, 16.0, "linear light", "a pixel at or above this counts as clipped"
    )
    highlight_size: float = number(
        0.01, 0.0005, 0.1, "fraction of long side", "widest clipped spot that counts as a light"
    )
    grain: float = number(
        0.0, 0.0, 2.0, "factor", "film grain put back into the blur; 1 = as in the sharp part"
    )
    grain_seed: int = number(0, 0, 2**31 - 1, "seed", "same seed, same grain")
    keep_subject_sharp: bool = dataclasses.field(
        default=False,
        metadata={"unit": "", "help": "never blur what the matte covers, whatever its depth"},
    )

    def __post_init__(self) -> None:
        check_fields(self)
        if self.focus_point is not None:
            object.__setattr__(self, "focus_point", checked_point(self.focus_point))
        if self.kernel is not None:
            object.__setattr__(self, "kernel", checked_kernel(self.kernel))

    def coc(self, depth: Any) -> Any:
        """Return the signed circle-of-confusion radius in pixels: the one place that knows it.

        Parameters
        ----------
        depth
            Disparity, a float array or tensor of any shape.

        Returns
        -------
        array or tensor like `depth`
            Positive in front of the focus, negative behind it, 0 within `focus_range`:
            `max_coc * max(0, |depth - focus| - focus_range / 2)`, times `foreground` in front.

        Raises
        ------
        InputError
            `focus` is still open; call `resolved` first.
        """
        if self.focus is None or self.focus_point is not None:
            raise InputError("the focus of this lens is not known yet; call resolved(depth, matte)")
        sharp = 0.5 * self.focus_range
        coc = depth - self.focus
        coc -= coc.clip(-sharp, sharp)
        coc *= self.max_coc
        if self.foreground != 1.0:
            coc += coc.clip(0) * (self.foreground - 1.0)
        return coc

    def resolved(
        self, depth: npt.NDArray[np.float32], matte: npt.NDArray[np.float32] | None = None
    ) -> Lens:
        """Return the lens with `focus` as a number: of `focus_point`, the subject or what is near.

        Parameters
        ----------
        depth
            (H, W) disparity in [0, 1].
        matte
            (H, W) in [0, 1] or None; where it covers nothing, the nearest large thing near
            the middle counts.
        """
        if self.focus_point is not None:
            focus = disparity_at(depth, *self.focus_point)
        elif self.focus is not None:
            return self
        else:
            focus = subject_disparity(depth, matte)
        return dataclasses.replace(self, focus=focus, focus_point=None)

    def scaled(self, factor: float) -> Lens:
        """Return the lens for a picture resized by `factor` (0.25 = quarter width)."""
        return dataclasses.replace(self, max_coc=self.max_coc * factor)

    def with_disc(self, radius: float) -> Lens:
        """Return the lens whose aperture lets in as much light as a disc: what an f-number means.

        `max_coc` is where the vertices of the blades are, so with blades it is larger than the
        radius of the disc: 1.10 times for a hexagon with straight edges.

        Parameters
        ----------
        radius
            Of the disc, in pixels, one whole disparity unit away from the focus.

        Raises
        ------
        InputError
            The vertices are farther out than `max_coc` may be.
        """
        return dataclasses.replace(self, max_coc=radius / math.sqrt(self.area_of_disc()))

    def area_of_disc(self) -> float:
        """Return the aperture's part of the area of the disc around it; 1 for an image of its own.

        The edge is at `c + (1 - c) cos(h) / cos(t)` radii in the directions `|t| <= h` from the
        middle of a blade, with `c` the curvature and `h = pi / blades`; its square is integrated.
        """
        if self.blades == 0 or self.kernel is not None:
            return 1.0
        bend, half = self.curvature, math.pi / self.blades
        straight = (1.0 - bend) * math.cos(half)
        secant = math.log(1.0 / math.cos(half) + math.tan(half))
        both = bend * bend * half + 2.0 * bend * straight * secant
        return (both + straight * straight * math.tan(half)) / half

    @classmethod
    def from_camera(
        cls,
        *,
        image_width_px: int,
        focus_distance_m: float | None = None,
        f_number: float | None = None,
        focal_length_mm: float | None = None,
        sensor_width_mm: float | None = None,
        nearest_m: float | None = None,
        farthest_m: float = math.inf,
        focus: float | None = None,
        exif: Mapping[str, Any] | None = None,
        **look: Any,
    ) -> Lens:
        """Make a lens from a camera's physical settings, focused on the subject unless told.

        `r_px = 0.5 * (W_px / W_sensor) * (f^2 / N) * s / (s - f) * |1/z - 1/s|` (thin lens), which
        is linear in disparity 1/z, so it maps onto `focus` and `max_coc` exactly. It is the
        radius of a disc: an aperture with blades has the same area (`with_disc`).

        Estimated depth has no metres. Then `focus_distance_m` only says how far away the subject
        is, which counts as the nearest thing, and what is in focus is found in the picture. With
        `nearest_m` depth stands for distances, and `focus_distance_m` is the plane in focus.

        Parameters
        ----------
        image_width_px
            Width of the picture in pixels, along the sensor's width.
        focus_distance_m
            Distance in metres of the subject, or, beside `nearest_m`, of the plane in focus.
        f_number, focal_length_mm, sensor_width_mm
            Aperture number N, real focal length f and sensor width in millimetres.
        nearest_m, farthest_m
            Distances in metres that depth 1 and depth 0 stand for.
        focus
            Disparity in focus, instead of a distance; None: the subject.
        exif
            Values by EXIF name used for what is not given: FNumber, FocalLength,
            FocalLengthIn35mmFilm (gives the sensor width), SubjectDistance.
        **look
            Any further field of `Lens`.

        Raises
        ------
        InputError
            A value is missing, impossible or said twice; the message says which.
        """
        tags = exif or {}
        number = physical("f_number", f_number, tags.get("FNumber"))
        focal = physical("focal_length_mm", focal_length_mm, tags.get("FocalLength"))
        equivalent = tags.get("FocalLengthIn35mmFilm")
        sensor = physical(
            "sensor_width_mm",
            sensor_width_mm,
            36.0 * focal / float(equivalent) if equivalent else None,
        )
        given = focus_distance_m if focus_distance_m is not None else tags.get("SubjectDistance")
        scene = _Scene.of(given, nearest_m, farthest_m, focal)
        if nearest_m is not None and focus_distance_m is not None and focus is not None:
            raise InputError("focus and focus_distance_m say the same: leave one of them out")
        if nearest_m is not None and given is not None and focus is None:
            focus = scene.focus()
        width = physical("image_width_px", image_width_px, None)
        magnified = scene.distance * 1000.0 / (scene.distance * 1000.0 - focal)
        radius = 0.5 * (width / sensor) * (focal * focal / number) * magnified * scene.span / 1000.0
        lens = cls(focus=focus, max_coc=0.0, **look)
        if radius / math.sqrt(lens.area_of_disc()) > WIDEST:
            raise InputError(
                f"{focal:g} mm at f/{number:g}, focused at {scene.distance:g} m, blurs this "
                f"picture by up to {radius:.0f} px; max_coc is at most {WIDEST:g} px: stop down, "
                "or reduce the picture first"
            )
        return lens.with_disc(radius)


@dataclass(frozen=True)
class _Scene:
    """Distances in metres: of the subject or the plane in focus, of depth 1 and of depth 0."""

    distance: float
    nearest: float
    farthest: float

    @classmethod
    def of(
        cls, distance_m: float | None, nearest_m: float | None, farthest_m: float, focal_mm: float
    ) -> _Scene:
        """Return the distances, checked; without one in focus, that of the nearest thing counts."""
        if distance_m is None and nearest_m is None:
            raise InputError(
                "focus_distance_m is needed, how far away the subject is in metres (2 is usual for "
                "a portrait): it was not given and the EXIF data does not have it"
            )
        distance = physical("focus_distance_m", distance_m, nearest_m)
        nearest = physical("nearest_m", nearest_m, distance)
        if not farthest_m > nearest:
            raise InputError(
                f"farthest_m must be greater than nearest_m ({nearest:g} m), got {farthest_m:g}"
            )
        if distance * 1000.0 <= focal_mm:
            raise InputError(
                f"focus_distance_m must be more than the focal length ({focal_mm / 1000:g} m), "
                f"got {distance:g}"
            )
        return cls(distance, nearest, farthest_m)

    @property
    def span(self) -> float:
        """Dioptres from depth 0 to depth 1."""
        return 1.0 / self.nearest - 1.0 / self.farthest

    def focus(self) -> float:
        """Return the disparity of the distance in focus."""
        focus = (1.0 / self.distance - 1.0 / self.farthest) / self.span
        if not -1e-9 <= focus <= 1.0 + 1e-9:
            raise InputError(
                f"focus_distance_m must lie between nearest_m ({self.nearest:g}) and farthest_m "
                f"({self.farthest:g}), got {self.distance:g}"
            )
        return min(max(focus, 0.0), 1.0)


def disparity_at(depth: npt.NDArray[np.float32], x: float, y: float) -> float:
    """Return the disparity of what is seen at a point, as a robust local median.

    The median over a disc-sized window (1.2 % of the long side) ignores noise and holes, and on an
    edge falls on one of the two surfaces, never on a depth between them.

    Parameters
    ----------
    depth
        (H, W) disparity in [0, 1].
    x, y
        Point as fractions of width and height, (0, 0) = top left.
    """
    x, y = checked_point((x, y))
    height, width = depth.shape
    radius = max(1, round(0.006 * max(height, width)))
    column, row = min(int(x * width), width - 1), min(int(y * height), height - 1)
    window = depth[
        max(0, row - radius) : row + radius + 1, max(0, column - radius) : column + radius + 1
    ]
    return _middle(window)


def subject_disparity(
    depth: npt.NDArray[np.float32], matte: npt.NDArray[np.float32] | None
) -> float:
    """Return the disparity to focus on when nobody says: the subject's head, else what is near.

    The head is taken to be the top fifth of the subject's pixels: a portrait focused on the chest,
    which is most of a half-body subject, looks wrong.

    Parameters
    ----------
    depth
        (H, W) disparity in [0, 1].
    matte
        (H, W) in [0, 1], or None.
    """
    if matte is not None:
        inside = matte > 0.5
        downwards = np.cumsum(np.count_nonzero(inside, axis=1))
        if downwards[-1] >= 16:
            head = max(16, int(HEAD * downwards[-1]))
            rows = int(np.searchsorted(downwards, head)) + 1
            return _middle(depth[:rows][inside[:rows]][:head])
    return near_disparity(depth)


def near_disparity(depth: npt.NDArray[np.float32]) -> float:
    """Return the disparity of the nearest large thing near the middle.

    That which `NEAR` of the picture reaches, pixels counted by how near the middle they are: the
    ground at the lower edge, though nearer, is not it. In 120 training photos of animals, not told
    which is the animal, the background is nearer to this focus in 4 %, to the centre's in 37 %.

    Parameters
    ----------
    depth
        (H, W) disparity in [0, 1].
    """
    height, width = depth.shape
    sample = depth[:: max(height // 256, 1), :: max(width // 256, 1)]
    across, down = (np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2 for n in sample.shape[::-1])
    weight = np.where(np.isfinite(sample), np.outer(down, across), 0).ravel()
    if not weight.any():
        return 0.5
    nearest_first = np.argsort(-sample.ravel())
    reached = np.cumsum(weight[nearest_first])
    found = nearest_first[np.searchsorted(reached, NEAR * reached[-1])]
    return float(np.clip(sample.ravel()[found], 0.0, 1.0))


def _middle(values: npt.NDArray[np.float32]) -> float:
    """Lower median, a value that really occurs, clamped to the range of a focus."""
    flat = values[np.isfinite(values)]
    if flat.size == 0:
        return 0.5
    middle = np.partition(flat, (flat.size - 1) // 2)[(flat.size - 1) // 2]
    return float(np.clip(middle, 0.0, 1.0))
