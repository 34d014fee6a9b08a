from __future__ import annotations

from telephony.slack import Slack


def seen(slack: Slack, waiting: list[int]) -> int:
    for each in waiting:
        slack.see(each)
    return slack.least


def test_nothing_is_spare_before_a_whole_window_was_seen() -> None:
    assert seen(Slack(4), [5, 5, 5]) == 0


def test_the_least_of_the_last_window_is_what_was_never_needed() -> None:
    slack = Slack(4)
    assert seen(slack, [5, 3, 9, 5]) == 3
    assert seen(slack, [0, 9, 9]) == 3
    assert seen(slack, [9]) == 0
    assert seen(slack, [7, 7, 7, 7]) == 7


def test_after_something_was_taken_the_rest_is_looked_at_anew() -> None:
    slack = Slack(2)
    seen(slack, [5, 5, 4])
    slack.taken()
    assert slack.least == 0
    assert seen(slack, [3]) == 0
    assert seen(slack, [3]) == 3
