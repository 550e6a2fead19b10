"""Closes the dialog while 24 megapixels are handed over, and opens it on 45."""

import itertools
import time

import within

image = load(os.path.join(OUT, "photo.png"))
image.scale(6000, 4000)
layer = image.get_layers()[0]
facts = {}


def watched(condition):
    """Wait for something; gives the longest time for which the dialog answered nobody."""
    beats = [time.monotonic()]

    def beat():
        beats.append(time.monotonic())
        return True

    timer = within.GLib.timeout_add(10, beat)
    try:
        within.until(condition, 240)
    finally:
        within.GLib.source_remove(timer)
    return max(b - a for a, b in itertools.pairwise(beats))


# slowed down, for on the machine of a test it is there in no time
client = plug_in("client", "daemon.light")
send = client.Dealer.send


def slowly(dealer, frames, sent=None):
    def slow(piece):
        time.sleep(0.01)
        sent(piece)

    send(dealer, frames, slow) if sent else send(dealer, frames)


client.Dealer.send = slowly
handing = plug_in("stages", "daemon.light").in_words("pixels").capitalize()
first = within.Opened(layer, wait=False)
within.until(lambda: any(said.startswith(handing) and " 0%" not in said for said in first.said))
began = time.monotonic()
first.shut()
facts["closed after"] = time.monotonic() - began
client.Dealer.send = send

image.scale(8200, 5500)
began = time.monotonic()
again = within.Opened(layer, wait=False)
print("45 megapixels: a window after", time.monotonic() - began, flush=True)
facts["longest"] = watched(lambda: again.replies or again.failures)
facts["failures"] = again.failures
facts["size"] = [again.render.image.width, again.render.image.height]
facts["handed over"] = [said for said in first.said if said.startswith(handing)]
again.shut()
keep("facts", facts)
