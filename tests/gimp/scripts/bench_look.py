"""Times what is seen in the dialog: at fit, at 100 %, and after a stroke of a brush."""

import time

import within

brushes = plug_in("strokes", "daemon.light")
WINDOW = 1200, 800
ROUNDS = 7

image = load(os.path.join(OUT, "photo.png"))
dialog = within.Opened(image.get_layers()[0])
dialog.window.resize(*WINDOW)
within.rest(1.0)
preview = dialog._preview
times = {}


def change(number):
    dialog.config.set_property("f-number", number)


def paint(number):
    """Draw a stroke across the middle, each a little lower."""
    photo = dialog.render.image
    path = brushes.Path(brushes.Brush(tool="blurred"), (photo.width, photo.height))
    for x in (0.4, 0.5, 0.6):
        path.add(x, 0.3 + number / 20)
    dialog.drawn(path.strokes())


def seconds(act, number):
    """Do something; gives the seconds until its first picture and until its finest."""
    within.until(lambda: not preview.is_coarse())
    within.rest(1.0)
    already, begun = len(dialog.replies), time.monotonic()
    act(number)
    within.until(lambda: len(dialog.replies) > already or dialog.failures)
    first = time.monotonic() - begun
    within.until(lambda: finest(already) or dialog.failures)
    assert not dialog.failures, dialog.failures
    return first, time.monotonic() - begun


def finest(already):
    """Whether the last of what was asked for is shown."""
    came = dialog.replies[already:]
    if preview.canvas.view.needs_full_size:
        return any(reply.region is not None for reply in came)
    return not preview.is_coarse()


times["fit"] = [seconds(change, 2.0 + step / 10) for step in range(ROUNDS)]
preview.canvas.look(preview.canvas.view.at(1.0))
within.until(lambda: not preview.is_coarse())
times["full"] = [seconds(change, 3.0 + step / 10) for step in range(ROUNDS)]
area = preview.canvas.view.area
times["shown"] = [area.width, area.height]
preview.canvas.look(preview.canvas.view.at(None))
times["stroke"] = [seconds(paint, step) for step in range(ROUNDS)]
dialog.shut()
keep("times", times)
