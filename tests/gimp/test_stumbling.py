"""A new user at the dialog: selections, saved settings, help, painted maps, no daemon."""

from __future__ import annotations

import json
import shutil
import threading
import time

import pytest

from tests.fakes.daemon import FakeDaemon
from tests.gimp.conftest import SAMPLE

BROWSER = """[Desktop Entry]
Type=Application
Name=Browser
MimeType=text/html;x-scheme-handler/file;
Exec=sh -c 'echo "$1" > {out}/opened' browser %u
"""


def with_browser(gimp):
    """Give the user a browser that writes down what it opens."""
    place = gimp.home / ".local/share/applications"
    place.mkdir(parents=True, exist_ok=True)
    (place / "browser.desktop").write_text(BROWSER.format(out=gimp.out))
    handlers = "[Default Applications]\ntext/html=browser.desktop\n"
    (gimp.home / ".config/mimeapps.list").write_text(handlers)


@pytest.fixture(scope="module")
def played(play):
    """The whole scene, played once."""
    return play("stumble_gimp.py", "stumble_desk.py", timeout=400, ready=with_browser)


def test_the_preview_shows_that_a_selection_limits_the_blur(played):
    limited, blurred = json.loads((played.out / "limited").read_text())
    assert limited < blurred / 3  # the screen shows the two from pictures of other sizes
    assert played.read("facts")["everywhere"]


def test_untouched_settings_bear_the_name_of_their_look(played):
    assert played.read("facts")["preset"] == "natural"


def test_saved_settings_bring_no_point_of_another_photo(played):
    assert played.read("facts")["loaded"] == "subject"


@pytest.mark.parametrize("way", [0, 1])
def test_help_opens_the_page(played, way):
    page = (played.out / f"page-{way}").read_text().strip()
    assert page.endswith("plug-ins/bokeh/help.html")


def test_the_people_are_found_again(played):
    assert played.read("facts")["mask is back"]


def test_a_dialog_without_a_daemon_offers_to_try_again(lone_gimp):
    shutil.copy(SAMPLE, lone_gimp.out / "photo.png")
    running = threading.Thread(
        target=lone_gimp.desktop, args=("no_daemon_desk.py", "no_daemon_gimp.py")
    )
    running.start()
    until = time.monotonic() + 120
    while not (lone_gimp.out / "refused").exists() and running.is_alive():
        assert time.monotonic() < until
        time.sleep(0.2)
    with FakeDaemon(lone_gimp.runtime):
        running.join()
    facts = json.loads((lone_gimp.out / "facts").read_text())
    assert facts["ok did nothing"]
    assert facts["tree"] == [["Bokeh", ["Mask", "Depth", "Composite"]], "Background"]
