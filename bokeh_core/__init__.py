"""Portrait bokeh as a library: photo in, matte, depth and composite out.

Arrays are float32. `rgb` is (H, W, 3) linear light with sRGB primaries, values >= 0 (highlights may
exceed 1). `depth` is (H, W) relative disparity in [0, 1], 1 = nearest. `matte` is (H, W) in [0, 1],
1 = subject.
"""
