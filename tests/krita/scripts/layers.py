"""Every kind of layer; leaves all pixels as raw bytes and a table about them."""

CASES = {
    # name: model, depth, profile, alpha, offset, settings
    "u8": ("RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc", False, (0, 0), {}),
    "u8-alpha-offset": ("RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc", True, (17, -9), {}),
    "u16": ("RGBA", "U16", "sRGB-elle-V2-srgbtrc.icc", False, (0, 0), {}),
    "u16-linear": ("RGBA", "U16", "sRGB-elle-V2-g10.icc", True, (0, 0), {}),
    "half": ("RGBA", "F16", "sRGB-elle-V2-g10.icc", False, (0, 0), {}),
    "float-linear": ("RGBA", "F32", "sRGB-elle-V2-g10.icc", True, (-5, 3), {}),
    "float-curved": ("RGBA", "F32", "sRGB-elle-V2-srgbtrc.icc", False, (0, 0), {}),
    "wide": ("RGBA", "U8", "ClayRGB-elle-V4-srgbtrc.icc", False, (0, 0), {}),
    "grey-u8": ("GRAYA", "U8", "Gray-D50-elle-V2-srgbtrc.icc", False, (0, 0), {}),
    "grey-u16": ("GRAYA", "U16", "Gray-D50-elle-V2-srgbtrc.icc", True, (0, 0), {}),
    "grey-float": ("GRAYA", "F32", "Gray-D50-elle-V2-g10.icc", False, (0, 0), {}),
    "dreamy": ("RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc", False, (0, 0), {"preset": "dreamy"}),
}
SIZE = {"U8": 1, "U16": 2, "F16": 2, "F32": 4}


def scene():
    for name, (model, depth, profile, alpha, offset, settings) in CASES.items():
        document = yield from document_of("small.png", model, depth, profile)
        source = document.activeNode()
        channels = 4 if model == "RGBA" else 2
        if alpha:
            data, size = bytearray(read(source)), SIZE[depth]
            full = data[(channels - 1) * size : channels * size]
            half = {"F16": b"\x00\x38", "F32": b"\x00\x00\x00\x3f"}.get(depth, b"\x80" * size)
            assert full != half
            for pixel in range(40 * 120, 50 * 120):
                at = (channels * pixel + channels - 1) * size
                data[at : at + size] = half
            write(source, data, 0, 0, 120, 120)
        source.move(*offset)
        document.waitForDone()
        before, area = read(source), source.bounds()
        group = yield from rendered(document, source, **settings)
        assert read(source) == before, "the source was changed"
        members = {role: group.member(role) for role in ("composite", "mask", "depth")}
        keep(f"{name}.source", before)
        for role, node in members.items():
            keep(f"{name}.{role}", read(node, area))
        facts[name] = {
            "profiles": [document.colorProfile(), *(n.colorProfile() for n in members.values())],
            "depths": [document.colorDepth(), *(n.colorDepth() for n in members.values())],
            "areas": [
                [n.bounds().x(), n.bounds().y(), n.bounds().width(), n.bounds().height()]
                for n in (source, *members.values())
            ],
            "visible": [n.visible() for n in (source, group.layer, *members.values())],
            "tree": tree(document),
        }
        close(document)
