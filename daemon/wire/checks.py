"""What no type can say of a `render`: values that do not go with each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.wire.lens import BinnedGaussian, Camera, Lens, Preset
from daemon.wire.refusal import Refused

if TYPE_CHECKING:
    from daemon.wire.lens import Look
    from daemon.wire.protocol import Render, Scalar

_PLAIN = Lens()
_IN_A_KERNEL = ("blades", "curvature", "ring")


def check(request: Render) -> None:
    """Refuse a request that says one thing twice, or needs something that it does not say.

    Raises
    ------
    Refused
        `bad_request` with the field, before any pixels travel.
    """
    _check_maps(request)
    _check_region(request)
    _check_strokes(request)
    _check_subject(request)
    if isinstance(request.lens, Lens | Preset):
        _check_focus(request.lens)
    if isinstance(request.lens, Lens):
        _check_kernel(request.lens)
    if isinstance(request.lens, Preset):
        _check_preset(request.lens)
    if request.camera is not None:
        _check_camera(request.camera, request.lens)


def _check_maps(request: Render) -> None:
    image = request.image
    for name, plane in (("matte", request.matte), ("depth", request.depth)):
        if plane is None:
            continue
        for side, here, there in (
            ("width", plane.width, image.width),
            ("height", plane.height, image.height),
        ):
            if here != there:
                raise Refused(
                    "bad_request",
                    f"`{name}` is {plane.width} x {plane.height}, "
                    f"`image` {image.width} x {image.height}",
                    "Send maps of the image's size.",
                    field=f"{name}.{side}",
                    value=here,
                    limit=there,
                )
    for name, given, model in (
        ("matte", None if request.painted else request.matte, request.matte_model),
        ("depth", request.depth, request.depth_model),
    ):
        if given is not None and model:
            raise _excluded(f"{name}_model", name, model)
    both = request.depth is not None and request.matte is not None
    if request.file is not None and both and not request.painted:
        raise _excluded("file", "matte` and `depth")
    if request.painted and request.matte is None:
        raise Refused(
            "bad_request",
            "`painted` is about a `matte`, and none is given",
            "Send the painted matte.",
            field="painted",
            value=True,
        )
    if len(set(request.want)) != len(request.want):
        raise Refused(
            "bad_request", "`want` names a plane twice", "Name each plane once.", field="want"
        )


def _check_region(request: Render) -> None:
    region, image = request.region, request.image
    if region is None:
        return
    if request.preview:
        raise _excluded("preview", "region", request.preview)
    for field, start, length, side in (
        ("width", region.left, region.width, image.width),
        ("height", region.top, region.height, image.height),
    ):
        if start + length > side:
            raise Refused(
                "bad_request",
                f"`region` ends at {start + length}, `image.{field}` is {side}",
                "A region lies within the picture.",
                field=f"region.{field}",
                value=length,
                limit=side - start,
            )


def _check_strokes(request: Render) -> None:
    for at, stroke in enumerate(request.strokes):
        if len(stroke.points) % 2:
            raise Refused(
                "bad_request",
                f"`strokes[{at}].points` has {len(stroke.points)} numbers, an odd count",
                "Send x and y in turn.",
                field=f"strokes[{at}].points",
                value=len(stroke.points),
            )


def _check_subject(request: Render) -> None:
    if request.subject != "at_focus_point":
        return
    if isinstance(request.lens, BinnedGaussian) or request.lens.focus_point is None:
        raise Refused(
            "bad_request",
            "`subject` at_focus_point needs `lens.focus_point`",
            "Say where in the picture the subject is.",
            field="lens.focus_point",
        )


def _check_focus(lens: Lens | Preset) -> None:
    if lens.focus is not None and lens.focus_point is not None:
        raise _excluded("lens.focus", "lens.focus_point", lens.focus)


def _check_preset(lens: Preset) -> None:
    if not lens.name.startswith("paper"):
        return
    for name in ("f_number", "focus", "focus_point"):
        if getattr(lens, name) is not None:
            raise _excluded(f"lens.{name}", f"lens.name: {lens.name}")


def _check_kernel(lens: Lens) -> None:
    if lens.kernel is None:
        return
    for name in _IN_A_KERNEL:
        if getattr(lens, name) != getattr(_PLAIN, name):
            raise _excluded(f"lens.{name}", "lens.kernel", getattr(lens, name))
    if len(set(map(len, lens.kernel))) > 1 or not any(map(any, lens.kernel)):
        raise Refused(
            "bad_request",
            "`lens.kernel` must be rows of the same length that are not all 0",
            field="lens.kernel",
        )


def _check_camera(camera: Camera, lens: Look) -> None:
    if not isinstance(lens, Lens):
        raise _excluded("camera", f"lens.kind: {lens.__struct_config__.tag}")
    if lens.max_coc != _PLAIN.max_coc:
        raise _excluded("lens.max_coc", "camera", lens.max_coc)
    _check_camera_focus(camera, lens)
    _check_distances(camera)


def _check_camera_focus(camera: Camera, lens: Lens) -> None:
    if camera.focus_distance_m is None and camera.nearest_m is None:
        raise Refused(
            "bad_request",
            "`camera` needs `focus_distance_m` or `nearest_m`",
            "Say how far away the subject is.",
            field="camera.focus_distance_m",
        )
    if camera.nearest_m is not None and camera.focus_distance_m is not None:
        for name, value in (("focus", lens.focus), ("focus_point", lens.focus_point)):
            if value is not None:
                raise _excluded(f"lens.{name}", "camera.focus_distance_m")


def _check_distances(camera: Camera) -> None:
    far, focal = camera.farthest_m, camera.focal_length_mm / 1000.0
    distance = camera.focus_distance_m or camera.nearest_m
    nearest = camera.nearest_m or distance
    assert distance is not None
    assert nearest is not None
    for field, value, floor, why in (
        ("focus_distance_m", camera.focus_distance_m, nearest, "`camera.nearest_m`"),
        ("farthest_m", far, distance, "`camera.focus_distance_m`"),
    ):
        if value is not None and value < floor:
            raise _too_near(field, value, why, floor)
    if distance <= focal:
        given = "nearest_m" if camera.focus_distance_m is None else "focus_distance_m"
        raise _too_near(given, distance, "`camera.focal_length_mm` or at it", focal)
    if far is not None and far <= nearest:
        raise _too_near("farthest_m", far, "`camera.nearest_m` or at it", nearest)


def _too_near(field: str, value: float, what: str, limit: float) -> Refused:
    return Refused(
        "bad_request",
        f"`camera.{field}` is {value:g} m, nearer than {what} ({limit:g} m)",
        "Distances are in metres, from the camera.",
        field=f"camera.{field}",
        value=value,
        limit=limit,
    )


def _excluded(field: str, other: str, value: Scalar | None = None) -> Refused:
    return Refused(
        "bad_request",
        f"`{field}` has no effect beside `{other}`",
        "Leave one of the two out.",
        field=field,
        value=value,
    )
