"""The matte of MediaPipe's selfie segmenter, whose weights are in its wheel (0.10.14).

pip install mediapipe==0.10.14
defocus compare PHOTO... --ways default,mediapipe:matte=examples/ways/mediapipe_selfie.py
"""

import mediapipe

segmenter = mediapipe.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0)


def matte(rgb):
    return segmenter.process(rgb).segmentation_mask
