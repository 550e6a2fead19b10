"""Options of `defocus train portrait|depth|joint|hair`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from daemon.cli import argtypes

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of a training; what is not given is None."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="begin with the settings of a run (its run.toml); options given beside it count",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="labelled pictures, or NYU's .mat")
    argtypes.add_folders(parser)
    argtypes.add_split(parser)
    parser.add_argument(
        "--limit", type=argtypes.whole(0), metavar="N", help="training pictures (0: all)"
    )
    parser.add_argument(
        "--unknown",
        type=Path,
        metavar="FILE",
        help="pictures whose masks are wrong and not learnt, as evaluate --suspects lists them",
    )
    parser.add_argument("--run", type=Path, metavar="DIR", help="default: runs/TASK")
    parser.add_argument(
        "--init",
        metavar="NAME|FILE",
        help="go on from embedded weights or a .safetensors file, with lower rates (joint)",
    )
    argtypes.add_device(parser)
    _add_reading(parser)
    _add_length(parser)
    _add_network(parser)
    parser.add_argument(
        "--export",
        type=argtypes.plain_name,
        metavar="NAME",
        help="put the finished weights among your own as NAME, see `defocus models`",
    )
    parser.add_argument("--licence", metavar="TEXT", help="of the exported weights, for the record")
    parser.add_argument(
        "--teacher", metavar="TEXT", help="who made the masks and depths, for the record"
    )
    parser.add_argument(
        "--keep",
        type=float,
        metavar="SHARE",
        help="export a mean with this share, 0 to 1, of the weights of --init",
    )


def _add_reading(parser: argparse.ArgumentParser) -> None:
    reading = parser.add_argument_group("reading the pictures (changes no result)")
    reading.add_argument(
        "--broken",
        type=argtypes.whole(0),
        metavar="N",
        help="leave out this many pictures that cannot be read; one more ends the training (20)",
    )
    reading.add_argument("--strict", action="store_true", help="end at the first one")
    reading.add_argument(
        "--workers",
        type=argtypes.whole(0),
        metavar="N",
        help="processes that prepare batches (CPU: 0, a thread; GPU: up to 8)",
    )
    reading.add_argument(
        "--memory",
        type=float,
        metavar="GB",
        help="of decoded pictures that are kept; the others are read anew each time (half of what "
        "is free)",
    )
    reading.add_argument(
        "--tensorboard",
        action="store_true",
        default=None,
        help="write the curves for TensorBoard too (extra tensorboard)",
    )


def _add_length(parser: argparse.ArgumentParser) -> None:
    length = parser.add_argument_group("length and learning")
    length.add_argument(
        "--minutes",
        type=float,
        help="of steps (joint: 90); scores, saving and time stopped do not count",
    )
    length.add_argument(
        "--epochs", type=float, help="passes over the pictures (30); counts before --minutes"
    )
    length.add_argument("--steps", type=int, help="counts before --epochs and --minutes")
    length.add_argument("--batch", type=argtypes.whole(1), help="pictures to a step (8)")
    length.add_argument(
        "--size",
        type=argtypes.sizes,
        metavar="A[,B,C]",
        help="long side of the input, a multiple of 32, or as many as it grows by (joint: "
        "256,320,384, with --init 320,384,448; else 320)",
    )
    length.add_argument("--loss", help="by name; a wrong one lists them (portrait and depth)")
    length.add_argument(
        "--optimiser", choices=("adamw", "sgd"), help="joint: adamw; the U-Net family: sgd"
    )
    length.add_argument(
        "--schedule", choices=("cosine", "plateau"), help="of the rate: cosine with adamw"
    )
    length.add_argument("--rate", type=float, help="of learning, the encoder's too")
    length.add_argument(
        "--precision", choices=("auto", "fp32", "bf16"), help="auto: what the device gains by"
    )
    length.add_argument("--momentum", type=float, help="of sgd (0.99)")
    length.add_argument("--decay", type=float, help="of the weights (joint: 1e-4; else 0)")
    length.add_argument(
        "--patience",
        type=argtypes.whole(0),
        help="plateau: epochs without a better validation loss before the rate falls (0)",
    )
    length.add_argument("--factor", type=float, help="plateau: the rate falls to this part (0.9)")
    length.add_argument("--clip", type=float, help="largest norm of the gradient (5)")
    length.add_argument(
        "--no-augment",
        action="store_false",
        dest="augmented",
        default=None,
        help="learn the pictures as they are, stretched to 4 : 3",
    )
    length.add_argument(
        "--weights",
        type=argtypes.weights,
        metavar="A=2,B=3",
        help="how often the pictures of a folder are seen in an epoch (1)",
    )
    length.add_argument("--seed", type=int, help="of weights, order and views (1)")


def _add_network(parser: argparse.ArgumentParser) -> None:
    """Add the options of `UNetConfig`, which has their defaults."""
    family = parser.add_argument_group("the U-Net family (portrait, depth)")
    family.add_argument("--encoder", choices=("plain", "densenet121"), help="default: densenet121")
    family.add_argument("--width", type=argtypes.whole(1), help="of the plain encoder (64)")
    family.add_argument("--batch-norm", action="store_true", default=None)
    family.add_argument(
        "--no-skips",
        action="store_false",
        dest="skips",
        default=None,
        help="the decoder sees only the encoder's coarsest map",
    )
    family.add_argument(
        "--sobel", action="store_true", default=None, help="edges as a fourth channel"
    )
    family.add_argument(
        "--upsampling",
        choices=("bilinear", "nearest", "transposed", "pixelshuffle"),
        help="default: bilinear",
    )
    family.add_argument(
        "--pretrained", action="store_true", default=None, help="ImageNet weights (download)"
    )
    family.add_argument(
        "--encoder-weights",
        metavar="FILE",
        help="ImageNet weights from a .pth or .safetensors file: of DenseNet-121, or for joint of "
        "EfficientNet-Lite0",
    )
