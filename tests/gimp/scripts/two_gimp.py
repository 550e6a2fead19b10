"""Two dialogs on two photos; at one of them a slider is never left alone."""

import within

facts = {}
dialogs = []
for size in ((512, 512), (360, 512)):
    image = load(os.path.join(OUT, "photo.png"))
    image.crop(*size, 0, 0)
    dialogs.append(within.Opened(image.get_layers()[0], wait=False))
within.until(lambda: all(each.replies for each in dialogs))
restless, calm = dialogs
within.rest(1.0)

numbers = [1.0 + step / 100 for step in range(2000)]


def restlessly():
    """Move the slider on, more often than anything can be computed."""
    restless.config.set_property("f-number", numbers.pop())
    return True


rounds = []
timer = within.GLib.timeout_add(100, restlessly)
for f_number in (1.4, 2.0, 5.6):
    before = len(restless.replies)
    calm.config.set_property("f-number", f_number)
    calm.settle()
    within.until(lambda before=before: len(restless.replies) > before)
    rounds.append(len(restless.replies) - before)
within.GLib.source_remove(timer)
facts["rounds"] = rounds
facts["failures"] = [each.failures for each in dialogs]
facts["own"] = [
    all(
        (plane.width == plane.height) == square
        for reply in each.replies
        for plane in reply.planes.values()
    )
    for each, square in ((restless, True), (calm, False))
]
for each in dialogs:
    each.shut()
keep("facts", facts)
