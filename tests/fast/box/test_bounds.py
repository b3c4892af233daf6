"""What is done outside of the box is bounded by the processor time that it takes."""

import os
import signal
import time

import pytest

from autograder.box.bounds import Meter, Unanswered, held


def work(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_an_exercise_has_its_time_and_the_notebook_has_its_own() -> None:
    meter = Meter(0.3, 0.5)
    with pytest.raises(Unanswered) as told, meter.looking("one"):
        work(5)
    assert told.value.cause == "time"
    assert "0.3 seconds of processor time for an exercise" in told.value.message
    assert meter.exceeded
    with pytest.raises(Unanswered), meter.looking("one"):
        raise AssertionError("it is not begun again")
    with pytest.raises(Unanswered), meter.looking("two"):
        work(5)  # the notebook's time comes to its end before the exercise's
    assert 0.2 < meter.spent < 1.5


def test_what_others_do_and_sleep_cost_nothing() -> None:
    meter = Meter(0.3, 0.3)
    with meter.looking("one"):
        time.sleep(0.6)
    assert meter.spent < 0.2
    assert not meter.exceeded
    work(0.5)  # outside of it
    with meter.looking("one"):
        pass


def test_it_does_not_end_what_must_not_stop_half_way() -> None:
    meter = Meter(0.2, 1)
    done = []

    def ask() -> None:
        with meter.looking("one"):
            with held():
                work(0.5)
                done.append("the frame was read")
            done.append("and then it stops")

    with pytest.raises(Unanswered):
        ask()
    assert done == ["the frame was read"]


def test_an_exception_of_the_check_goes_on_and_no_timer_is_left() -> None:
    meter = Meter(0.2, 0.2)
    with pytest.raises(ZeroDivisionError), meter.looking("one"):
        raise ZeroDivisionError
    work(0.5)
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    assert os.getpid()


def test_too_much_memory_is_remembered() -> None:
    meter = Meter(1, 1)
    with pytest.raises(MemoryError), meter.looking("one"):
        raise MemoryError
    assert meter.exceeded
