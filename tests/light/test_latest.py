"""The order of previews: the newest wish counts."""

from __future__ import annotations

import threading

from daemon.light.latest import Latest


def test_a_newer_wish_replaces_one_that_was_not_begun():
    box = Latest()
    box.put("old")
    newest = box.put("new")
    taken = box.take()
    assert (taken.generation, taken.wish) == (newest, "new")


def test_a_newer_wish_stops_the_one_being_fulfilled_but_not_the_first():
    box = Latest()
    box.put("first")
    first = box.take()
    box.put("second")
    assert not first.stop.is_set(), "its analysis is needed"
    assert box.accept(first.generation)
    second = box.take()
    assert not second.stop.is_set()
    box.put("third")
    assert second.stop.is_set()
    assert not box.take().stop.is_set()


def test_something_is_shown_between_two_stops():
    box = Latest()
    box.put("first")
    assert box.accept(box.take().generation)
    box.put("next")
    shown = []
    for _ in range(6):  # a slider that moves on faster than anything is computed
        taken = box.take()
        box.put("newer")
        shown.append(not taken.stop.is_set() and box.accept(taken.generation))
    assert shown == [True, False] * 3


def test_closing_may_stop_what_is_being_fulfilled():
    box = Latest()
    box.put("wish")
    taken = box.take()
    box.close()
    assert not taken.stop.is_set()
    box.close(stop=True)
    assert taken.stop.is_set()


def test_a_stale_reply_never_overtakes_a_new_one():
    box = Latest()
    first, second = box.put("first"), box.put("second")
    assert box.accept(second)
    assert not box.accept(first)
    assert box.accept(second), "a finer one of the same wish"


def test_what_is_shown_is_up_to_date_until_something_else_is_wished_for():
    box = Latest()
    older, newer = box.put("older"), box.put("newer")
    assert box.accept(older)
    assert not box.up_to_date
    assert box.accept(newer)
    assert box.up_to_date
    box.put("newest")
    assert not box.up_to_date


def test_closing_wakes_the_one_who_waits():
    box = Latest()
    taken = []
    thread = threading.Thread(target=lambda: taken.append(box.take()))
    thread.start()
    box.close()
    thread.join(5)
    assert taken == [None]
    assert not box.accept(box.put("late"))
