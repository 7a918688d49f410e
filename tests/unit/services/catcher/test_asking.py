"""Asking a source whether it could be read."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from services.catcher.asking import ask_events_api
from services.catcher.plans import EventsAPIPlan
from services.catcher.sources.events_api import API
from services.catcher.sources.panko import Panko
from shared.errors import Misconfigured, Problem


async def test_a_clouds_yaml_that_is_just_being_written_is_an_answer_and_no_end() -> None:
    def open_api() -> AbstractAsyncContextManager[API]:
        raise Misconfigured([Problem("clouds.yaml, cloud prod", "there is no such cloud")])

    plan = EventsAPIPlan("prod", open_api, Panko(), timedelta(seconds=20), history=False)
    answer = await ask_events_api(plan)

    assert not answer.works
    assert answer.why == "clouds.yaml, cloud prod: there is no such cloud"
