"""Layered test scenes with what makes blur hard: lights, hair, slanted ground, things in front.

Everything follows from a seed; sizes scale with the width, so the same scene exists at any size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core.evaluation.thin_lens import Layer, Scene

if TYPE_CHECKING:
    from collections.abc import Callable

FloatImage = npt.NDArray[np.float32]
SUPERSAMPLING = 4
DESIGN_WIDTH = 720
"""Width in pixels that shapes are sized for; hair is about 2 px thick there."""


@dataclass
class Canvas:
    """Draws layers of one scene; coordinates are fractions of the frame's width."""

    width: int
    height: int
    margin: int
    rng: np.random.Generator

    @property
    def shape(self) -> tuple[int, int]:
        """Size of a layer, margin included."""
        return self.height + 2 * self.margin, self.width + 2 * self.margin

    def texture(self, colours: int = 3, contrast: float = 0.5, finest: int = 3) -> FloatImage:
        """Paint smooth multi-scale noise between random colours, linear light."""
        rows, columns = self.shape
        palette = self.rng.uniform(0.02, 0.75, (2, colours)).astype(np.float32)
        mix = np.zeros((rows, columns, 1), np.float32)
        for octave in range(1, 7):
            cell = max(finest, self.width // 2**octave)
            small = self.rng.normal(size=(rows // cell + 3, columns // cell + 3))
            big = cv2.resize(
                small.astype(np.float32), None, fx=cell, fy=cell, interpolation=cv2.INTER_CUBIC
            )
            mix[..., 0] += big[:rows, :columns] * 0.6 ** (octave - 1)
        mix = 0.5 + 0.5 * np.tanh(contrast * mix)
        paint: FloatImage = palette[0] * mix + palette[1] * (1 - mix)
        return np.asarray(np.maximum(paint, np.float32(0.003)))

    def tiles(self, image: FloatImage, count: int) -> FloatImage:
        """Lay random hard-edged rectangles over a texture."""
        rows, columns = self.shape
        for _ in range(count):
            w, h = self.rng.integers(max(3, columns // 40), max(6, columns // 6), 2)
            x, y = self.rng.integers(0, columns), self.rng.integers(0, rows)
            image[y : y + h, x : x + w] *= self.rng.uniform(0.25, 2.2, 3).astype(np.float32)
        limited: FloatImage = np.clip(image, 0.002, 1.0)
        return limited

    def lights(self, image: FloatImage, count: int, brightest: float) -> FloatImage:
        """Add round point lights above display white; small ones are the brightest."""
        rows, columns = self.shape
        y, x = np.mgrid[:rows, :columns].astype(np.float32)
        for _ in range(count):
            cx, cy = self.rng.uniform(0, columns), self.rng.uniform(0, 0.7 * rows)
            radius = self.width / DESIGN_WIDTH * self.rng.uniform(1.5, 4.0)
            power = brightest * self.rng.uniform(0.3, 1.0)
            colour = self.rng.uniform(0.4, 1.0, 3).astype(np.float32)
            spot = np.clip(radius + 0.5 - np.hypot(x - cx, y - cy), 0, 1)[..., None]
            image = image * (1 - spot) + power * colour * spot
        return image.astype(np.float32)

    def drawn(self, draw: Callable[[npt.NDArray[np.uint8], float], None]) -> FloatImage:
        """Antialiased coverage of what `draw(image, pixels per frame width)` fills with 255."""
        rows, columns = self.shape
        big = np.zeros((rows * SUPERSAMPLING, columns * SUPERSAMPLING), np.uint8)
        draw(big, self.width * SUPERSAMPLING)
        small = cv2.resize(big, (columns, rows), interpolation=cv2.INTER_AREA)
        cover: FloatImage = small / np.float32(255)
        return cover

    def at(self, x: float, y: float, scale: float) -> tuple[int, int]:
        """Place a point given in frame widths on the supersampled canvas."""
        edge = self.margin * SUPERSAMPLING
        return round(x * scale) + edge, round(y * scale) + edge


def _person(canvas: Canvas, x: float, top: float, size: float, strands: int) -> FloatImage:
    """Coverage of a head with loose hair on shoulders; `size` is the head's height in widths."""
    rng = canvas.rng

    def draw(image: npt.NDArray[np.uint8], scale: float) -> None:
        head = canvas.at(x, top + 0.5 * size, scale)
        axes = (round(0.38 * size * scale), round(0.5 * size * scale))
        cv2.ellipse(image, head, axes, 0, 0, 360, 255, -1)
        body = canvas.at(x, top + 2.3 * size, scale)
        cv2.ellipse(
            image, body, (round(1.05 * size * scale), round(1.4 * size * scale)), 0, 0, 360, 255, -1
        )
        bottom = canvas.at(x + 1.05 * size, 3.0, scale)
        cv2.rectangle(image, canvas.at(x - 1.05 * size, top + 2.3 * size, scale), bottom, 255, -1)
        for _ in range(strands):
            angle = rng.uniform(-math.pi, 0.0)
            length = size * rng.uniform(0.12, 0.4)
            bend = rng.uniform(-0.8, 0.8)
            thickness = max(1, round(scale / DESIGN_WIDTH * rng.uniform(0.5, 2.0)))
            points = []
            for step in np.linspace(0, 1, 12):
                radius = 0.4 * size + length * step
                turn = angle + bend * step * step
                points.append(
                    canvas.at(
                        x + 0.9 * radius * math.cos(turn),
                        top + 0.5 * size + 1.15 * radius * math.sin(turn),
                        scale,
                    )
                )
            cv2.polylines(image, [np.array(points)], isClosed=False, color=255, thickness=thickness)

    return canvas.drawn(draw)


def _leaves(canvas: Canvas, x: float, y: float, count: int) -> FloatImage:
    """Coverage of a twig with pointed leaves reaching into the frame."""
    rng = canvas.rng

    def draw(image: npt.NDArray[np.uint8], scale: float) -> None:
        for _ in range(count):
            centre = canvas.at(x + rng.uniform(-0.12, 0.12), y + rng.uniform(-0.2, 0.2), scale)
            axes = (round(rng.uniform(0.04, 0.09) * scale), round(rng.uniform(0.012, 0.03) * scale))
            cv2.ellipse(image, centre, axes, rng.uniform(0, 180), 0, 360, 255, -1)

    return canvas.drawn(draw)


def _bars(canvas: Canvas, count: int) -> FloatImage:
    """Coverage of upright posts standing on the ground."""
    rng = canvas.rng

    def draw(image: npt.NDArray[np.uint8], scale: float) -> None:
        for _ in range(count):
            x, w = rng.uniform(0, 1), rng.uniform(0.01, 0.05)
            top = canvas.at(x, rng.uniform(0.05, 0.3), scale)
            cv2.rectangle(image, top, canvas.at(x + w, 0.6, scale), 255, -1)

    return canvas.drawn(draw)


def _ground(canvas: Canvas, horizon: float, far: float, near: float) -> Layer:
    """Slanted plane from the horizon (fraction of the height) down to the lower edge."""
    rows, columns = canvas.shape
    first = horizon * canvas.height
    slope = (near - far) / (canvas.height - first)
    y = np.arange(rows, dtype=np.float32)[:, None] - canvas.margin
    alpha = np.clip(y - first + 0.5, 0, 1) * np.ones((1, columns), np.float32)
    paint = canvas.tiles(canvas.texture(contrast=0.8), 60)
    return Layer(paint, alpha.astype(np.float32), far - slope * first, slope)


def _wall(canvas: Canvas, disparity: float, lights: int, brightest: float) -> Layer:
    paint = canvas.lights(canvas.tiles(canvas.texture(), 25), lights, brightest)
    return Layer(paint, np.ones(canvas.shape, np.float32), disparity)


def _canvas(width: int, margin: int, seed: int) -> Canvas:
    return Canvas(width, width * 3 // 4, margin, np.random.default_rng(seed))


def portrait(width: int, margin: int, seed: int = 0) -> Scene:
    """Person with loose hair before lights in the evening, on slanted ground, leaves in front."""
    canvas = _canvas(width, margin, 100 + seed)
    rng = canvas.rng
    depth = float(rng.uniform(0.52, 0.68))
    person = _person(canvas, rng.uniform(0.4, 0.6), rng.uniform(0.1, 0.2), 0.2, 90)
    layers = (
        _wall(canvas, float(rng.uniform(0.02, 0.2)), 25, 30.0),
        _ground(canvas, 0.6, 0.22, 0.75),
        Layer(canvas.texture(contrast=0.9, finest=2), person, depth, subject=True),
        Layer(canvas.texture(), _leaves(canvas, rng.choice([0.1, 0.9]), 0.45, 14), 0.95),
    )
    return Scene(f"portrait-{seed}", canvas.width, canvas.height, margin, layers)


def street(width: int, margin: int, seed: int = 0) -> Scene:
    """Person among posts at several depths before a bright wall."""
    canvas = _canvas(width, margin, 200 + seed)
    rng = canvas.rng
    person = _person(canvas, rng.uniform(0.25, 0.7), rng.uniform(0.12, 0.25), 0.16, 60)
    layers = (
        _wall(canvas, 0.05, 12, 8.0),
        Layer(canvas.texture(), _bars(canvas, 4), 0.25),
        _ground(canvas, 0.68, 0.2, 0.8),
        Layer(canvas.texture(), _bars(canvas, 3), 0.42),
        Layer(canvas.texture(contrast=0.9, finest=2), person, 0.6, subject=True),
    )
    return Scene(f"street-{seed}", canvas.width, canvas.height, margin, layers)


def couple(width: int, margin: int, seed: int = 0) -> Scene:
    """Two people, the nearer at the frame's edge and out of the matte, before many lights."""
    canvas = _canvas(width, margin, 300 + seed)
    rng = canvas.rng
    first = _person(canvas, rng.uniform(0.5, 0.65), 0.15, 0.18, 120)
    second = _person(canvas, rng.uniform(0.05, 0.15), 0.25, 0.24, 30)
    layers = (
        _wall(canvas, 0.0, 60, 15.0),
        _ground(canvas, 0.72, 0.1, 0.55),
        Layer(canvas.texture(contrast=0.9, finest=2), first, 0.5, subject=True),
        Layer(canvas.texture(contrast=0.7), second, 0.85),
    )
    return Scene(f"couple-{seed}", canvas.width, canvas.height, margin, layers)


SCENES: tuple[Callable[..., Scene], ...] = (portrait, street, couple)
