"""What GIMP does while somebody saves presets."""

import contextlib

FILE = os.path.join(os.environ["DEFOCUS_CONFIG_DIR"], "presets.json")


def kept(group):
    return json.loads(bytes(group.get_parasite("defocus-bokeh").get_data()))["parameters"]


def content():
    with open(FILE, encoding="utf-8") as file:
        return file.read()


facts = {}
image = load(os.path.join(OUT, "photo.png"))
source = image.get_layers()[0]
Gimp.Display.new(image)
group, *_ = call("plug-in-bokeh-portrait", image, [source], mode=Gimp.RunMode.INTERACTIVE)
facts["chosen"] = kept(group)
facts["saved"] = saved = content()
keep("made", b"")

group, *_ = call("plug-in-bokeh-rerender", image, [source], mode=Gimp.RunMode.INTERACTIVE)
facts["changed"] = kept(group)
with open(FILE, "w", encoding="utf-8") as file:
    file.write(saved[:-9])
keep("changed", b"")

group, *_ = call("plug-in-bokeh-rerender", image, [source], mode=Gimp.RunMode.INTERACTIVE)
facts["beside damage"] = kept(group)
facts["left as it was"] = content() == saved[:-9]
with open(FILE, "w", encoding="utf-8") as file:
    file.write(saved)
keep("damaged", b"")

with contextlib.suppress(RuntimeError):  # cancelled
    call("plug-in-bokeh-rerender", image, [source], mode=Gimp.RunMode.INTERACTIVE)
facts["deleted"] = content()
keep("facts", facts)
