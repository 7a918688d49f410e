"""What refusals mean for us, by their status and their words."""

import pytest

from services.refresher.refusals import (
    forbids,
    is_final,
    refuses_params,
    refuses_the_marker,
    says_gone,
)
from services.refresher.resources import ALL
from shared.errors import CloudRefused, CloudUnavailable


def refusal(status: int, detail: str = "") -> CloudRefused:
    return CloudRefused(f"{status} {detail}", status=status, detail=detail)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_an_operator_can_mend_is_tried_again(status: int) -> None:
    assert not is_final(refusal(status))


@pytest.mark.parametrize("status", [400, 405, 406, 409, 410, 501])
def test_other_refusals_stay_what_they_are(status: int) -> None:
    assert is_final(refusal(status))


@pytest.mark.parametrize("status", [None, 429, 500, 503])
def test_what_broke_down_comes_back(status: int | None) -> None:
    assert not is_final(CloudUnavailable("down", status=status))


def test_only_a_403_is_about_our_credentials() -> None:
    assert [status for status in (400, 401, 403, 404) if forbids(refusal(status))] == [403]


def test_a_400_is_about_a_parameter_only_where_it_names_it() -> None:
    params = (("is_public", "None"),)
    assert refuses_params(refusal(400, "Invalid filters is_public are found"), params)
    assert refuses_params(refusal(403), params)
    assert not refuses_params(refusal(400, "marker t1 not found"), params)
    assert not refuses_params(refusal(404, "is_public"), params)


def test_a_marker_that_is_gone_is_a_400_or_a_404() -> None:
    statuses = (400, 403, 404, 409)
    assert [one for one in statuses if refuses_the_marker(refusal(one))] == [400, 404]


@pytest.mark.parametrize(
    ("kind", "detail", "gone"),
    [
        ("server", "Instance 5 could not be found.", True),
        ("server", "The resource could not be found.", False),
        ("flavor", "Instance 5 could not be found.", False),
        ("flavor", "Flavor 5 could not be found.", True),
        ("share", ALL["share"].unnamed, True),
    ],
)
def test_a_404_says_that_an_object_is_gone_where_it_names_it(
    kind: str, detail: str, *, gone: bool
) -> None:
    assert says_gone(refusal(404, detail), ALL[kind], "5") is gone
