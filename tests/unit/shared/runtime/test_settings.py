"""The configuration: a file, the environment over it, and complaints that lead to the mistake."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel

from shared.errors import Misconfigured
from shared.runtime.sections import HTTPSettings
from shared.runtime.settings import Settings, load_settings
from shared.secret import SecretURL

_DESIGN = """\
database:
  url: postgresql://osevents@db/osevents
bus:
  url: amqp://osevents@bus/osevents
clouds:
  - name: prod
    source: auto
    history: skip
    poll_interval: 20s
    amqp:
      transports:
        - rabbit://osevents:secret@rabbit1:5672,rabbit2:5672/
    refresh:
      full_pass_interval: 6h
      merge_window: 1s
rules: /etc/osevents/rules
retention:
  events: 180d
"""


def _load(
    tmp_path: Path,
    text: str = "",
    environ: Mapping[str, str] | None = None,
    require: Collection[str] = (),
) -> Settings:
    path = tmp_path / "osevents.yaml"
    path.write_text(text)
    return load_settings(path, environ or {}, require=require)


def _complaints(
    tmp_path: Path,
    text: str = "",
    environ: Mapping[str, str] | None = None,
    require: Collection[str] = (),
) -> list[str]:
    with pytest.raises(Misconfigured) as raised:
        _load(tmp_path, text, environ, require)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in raised.value.problems]


def test_what_is_kept_for_less_long_is_read(tmp_path: Path) -> None:
    text = "retention: {events: 90d, categories: {network: 30d}, size: 1.5 GiB}"
    environ = {"OSEVENTS_RETENTION__CATEGORIES__POWER": "60d", "OSEVENTS_RETENTION__SIZE": ""}

    retention = _load(tmp_path, text, environ).retention

    assert retention.categories == {"network": timedelta(days=30), "power": timedelta(days=60)}
    assert retention.size == 3 * 2**29


@pytest.mark.parametrize("size", ["50", "much", "-1GB", "0MB", "[1]"])
def test_a_size_needs_a_number_and_a_unit(tmp_path: Path, size: str) -> None:
    [complaint] = _complaints(tmp_path, f"retention: {{size: {size}}}")

    assert complaint.startswith("osevents.yaml:1 retention.size: ")
    assert complaint.endswith(" is no size; write for example 500MB, 50GB or 2TiB")


def test_the_file_of_the_design_is_read(tmp_path: Path) -> None:
    settings = _load(tmp_path, _DESIGN, require={"database.url", "bus.url", "clouds"})
    assert settings.database.url == SecretURL("postgresql://osevents@db/osevents")
    assert settings.bus.url == SecretURL("amqp://osevents@bus/osevents")
    assert settings.rules == ("/etc/osevents/rules",)
    assert settings.retention.events == timedelta(days=180)
    cloud = settings.cloud("prod")
    assert cloud is not None
    assert (cloud.source, cloud.history, cloud.queue_name) == ("auto", "skip", "osevents.prod")
    assert cloud.amqp.transports[0].reveal().startswith("rabbit://osevents:secret@rabbit1")
    assert cloud.refresh.full_pass_interval == timedelta(hours=6)


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    settings = load_settings(None, {"HOME": str(tmp_path)})
    assert settings == Settings()
    assert settings.drain_timeout == timedelta(seconds=20)


def test_an_empty_file_is_a_configuration(tmp_path: Path) -> None:
    assert _load(tmp_path, "# nothing yet\n") == Settings()


@pytest.mark.parametrize(
    ("written", "history"),
    [
        ("all", "all"),
        ("2026-01-31T08:00:00Z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("'2026-01-31T10:00:00+02:00'", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_history_is_a_word_or_a_time(tmp_path: Path, written: str, history: object) -> None:
    assert (
        _load(tmp_path, f"clouds: [{{name: a, history: {written}}}]").clouds[0].history == history
    )


@pytest.mark.parametrize(
    ("written", "port"),
    [("auto", 8701), ("0", 0), ("80", 80), ("off", None), ("'off'", None)],
)
def test_the_port_may_be_the_services_own_or_free_or_none(
    tmp_path: Path, written: str, port: int | None
) -> None:
    assert _load(tmp_path, f"http: {{port: {written}}}").http.port_of("catcher") == port


def test_no_two_services_share_a_port_by_default() -> None:
    services = ("up", "catcher", "processor", "refresher")
    assert len({HTTPSettings().port_of(service) for service in services}) == len(services)


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    environ = {
        "OSEVENTS_DATABASE__URL": "postgresql://other/db",
        "OSEVENTS_CLOUDS__0__POLL_INTERVAL": "1m",
        "OSEVENTS_CLOUDS__0__AMQP__QUEUE_LENGTH": "10",
        "OSEVENTS_CLOUDS__1__NAME": "second",
        "OSEVENTS_LOG__FORMAT": '"json"',
        "OSEVENTS_RULES": "",
    }
    settings = _load(tmp_path, _DESIGN, environ)
    assert settings.database.url == SecretURL("postgresql://other/db")
    assert settings.clouds[0].poll_interval == timedelta(minutes=1)
    assert settings.clouds[0].amqp.queue_length == 10
    assert [cloud.name for cloud in settings.clouds] == ["prod", "second"]
    assert settings.log.format == "json"
    assert settings.rules == ("/etc/osevents/rules",), "an empty variable counts as absent"


def test_a_list_can_be_made_from_the_environment_alone() -> None:
    names = {f"OSEVENTS_CLOUDS__{n}__NAME": f"cloud{n}" for n in range(11)}
    settings = load_settings(None, names | {"OSEVENTS_CLOUDS__0__AMQP__TOPICS": "[a, b]"})
    assert [cloud.name for cloud in settings.clouds] == [f"cloud{n}" for n in range(11)]
    assert settings.clouds[0].amqp.topics == ("a", "b")


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("rabbit://a:b#c*@host/\n")
    environ = {
        "OSEVENTS_CLOUDS__0__NAME": "a",
        "OSEVENTS_CLOUDS__0__AMQP__TRANSPORTS__0_FILE": str(secret),
    }
    settings = _load(tmp_path, "", environ)
    assert settings.clouds[0].amqp.transports == (SecretURL("rabbit://a:b#c*@host/"),)


def test_a_password_in_a_variable_is_not_taken_for_yaml(tmp_path: Path) -> None:
    url = "postgresql://a:b%20 #c@host/d"
    assert _load(tmp_path, "", {"OSEVENTS_DATABASE__URL": url}).database.url == SecretURL(url)


def test_variables_that_are_no_settings_are_left_alone(tmp_path: Path) -> None:
    environ = {
        "OSEVENTS_CONFIG": "osevents.yaml",
        "OSEVENTS_TEST_DATABASE_URL": "postgresql://x/y",
        "OSEVENTS_SERVICE_HOST": "10.0.0.1",
        "OSEVENTS_PORT": "tcp://10.0.0.1:80",
        "OSEVENTS_CATCHER_PORT_8701_TCP_ADDR": "10.0.0.1",
        "OSEVENTS_CATCHER_SERVICE_PORT_METRICS": "8701",
    }
    assert _load(tmp_path, "", environ) == Settings()


def test_everything_that_is_wrong_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    text = """\
databse:
  url: postgresql://db/osevents
bus: amqp://a:hush@host/
clouds:
  - name: a.b
    poll_intervall: 20s
    poll_interval: 20
    source: kafka
    history: yesterday
    amqp:
      transports: rabbit://a:hush@host/
      exchanges: []
      queue_length: -1
  - name: c
    amqp:
      transports: [amqp://a:hush@, {x: y}]
    refresh: {full_pass_interval: 0}
  - name: c
    history: 2026-01-31T08:00:00
retention: {events: ever}
http: {port: 99999}
log: {level: loud, format: [json]}
"""
    environ = {"OSEVENTS_DRAIN_TIMEOUT": "soon", "OSEVENTS_LOG__COLOUR": "red"}
    found = _complaints(tmp_path, text, environ, {"database.url"})
    # Their beginnings: the ends give examples.
    assert [complaint[:76] for complaint in found] == [
        "osevents.yaml:3 bus: must be a mapping of settings",
        "osevents.yaml:5 clouds[0].name: 'a.b' cannot name a cloud: it is the first w",
        "osevents.yaml:8 clouds[0].source: must be 'auto', 'amqp', 'panko', 'ceilomet",
        "osevents.yaml:9 clouds[0].history: 'yesterday' is neither skip, nor all, nor",
        "osevents.yaml:7 clouds[0].poll_interval: '20' is no duration; write for exam",
        "osevents.yaml:11 clouds[0].amqp.transports: must be a list",
        "osevents.yaml:12 clouds[0].amqp.exchanges: must not be empty",
        "osevents.yaml:13 clouds[0].amqp.queue_length: must be greater than 0, not -1",
        "osevents.yaml:6 clouds[0].poll_intervall: is no setting; did you mean poll_i",
        "osevents.yaml:16 clouds[1].amqp.transports[0]: amqp://a:***@ names no host; ",
        "osevents.yaml:16 clouds[1].amqp.transports[1]: this is no text; write rabbit",
        "osevents.yaml:17 clouds[1].refresh.full_pass_interval: 0 is not possible her",
        "osevents.yaml:19 clouds[2].history: the time 2026-01-31 08:00:00 has no zone",
        "osevents.yaml:20 retention.events: 'ever' is no duration; write for example ",
        "osevents.yaml:21 http.port: 99999 is neither a port (0 takes a free one), no",
        "osevents.yaml:22 log.level: must be 'debug', 'info', 'warning' or 'error', n",
        "osevents.yaml:22 log.format: must be 'console' or 'json'",
        "OSEVENTS_LOG__COLOUR: is no setting; here are format, level",
        "OSEVENTS_DRAIN_TIMEOUT: 'soon' is no duration; write for example 500ms, 20s,",
        "osevents.yaml:1 databse: is no setting; did you mean database?",
        "osevents.yaml: database.url is needed; add it, or set OSEVENTS_DATABASE__URL",
    ]


def test_two_clouds_of_one_name_are_refused(tmp_path: Path) -> None:
    assert _complaints(tmp_path, "clouds:\n  - name: a\n  - name: a\n") == [
        "osevents.yaml:3 clouds[1].name: 'a' is the name of clouds[0] already"
    ]


def test_a_cloud_without_a_name_is_told_where_the_cloud_stands(tmp_path: Path) -> None:
    assert _complaints(tmp_path, "clouds:\n  - source: amqp\n") == [
        "osevents.yaml:2 clouds[0].name: is missing"
    ]


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    assert _complaints(tmp_path, "rules: a\nlog: {}\nrules: b\n") == [
        "osevents.yaml:3 rules: is given twice, first on line 1"
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [hush\n", "osevents.yaml:2: is not YAML: expected ',' or ']', but got '<stream end>'"),
        (
            "- a\n",
            "osevents.yaml: must be a mapping of settings, such as `database:` and its `url:`",
        ),
        ("a: 1\n---\nb: 2\n", "osevents.yaml:2: is not YAML: but found another document"),
        ("a: \0\n", "osevents.yaml: is not YAML: it holds characters or values that YAML lacks"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_without_its_text(
    tmp_path: Path, text: str, complaint: str
) -> None:
    assert _complaints(tmp_path, text) == [complaint]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"absent\.yaml: there is no such file"):
        load_settings(tmp_path / "absent.yaml", {})


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "osevents.yaml").write_bytes(b"a: \xff\n")
    with pytest.raises(Misconfigured, match="is not UTF-8 text"):
        load_settings(tmp_path / "osevents.yaml", {})


def test_a_list_that_holds_itself_ends_in_a_complaint(tmp_path: Path) -> None:
    assert len(_complaints(tmp_path, "clouds: &a [*a]\n")) == 1


@pytest.mark.parametrize(
    ("environ", "complaint"),
    [
        (
            {"OSEVENTS_CLOUDS__1__NAME": "b"},
            "OSEVENTS_CLOUDS__1__NAME: clouds holds 0, so the next index is 0",
        ),
        (
            {"OSEVENTS_RULES__URL": "b"},
            "OSEVENTS_RULES__URL: rules is not a mapping, so it has no url",
        ),
        (
            {"OSEVENTS_RULES_FILE": "/nowhere"},
            "OSEVENTS_RULES_FILE: the file /nowhere cannot be used: No such file or directory",
        ),
        (
            {"OSEVENTS_RULES": "/a", "OSEVENTS_RULES_FILE": "/b"},
            "OSEVENTS_RULES_FILE: sets the same value as OSEVENTS_RULES; unset one of them",
        ),
    ],
)
def test_a_variable_that_cannot_be_applied_is_told(
    tmp_path: Path, environ: dict[str, str], complaint: str
) -> None:
    assert _complaints(tmp_path, "rules: a\n", environ) == [complaint]


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("OSEVENTS_CLOUDS__X__NAME", "OSEVENTS_CLOUDS__X__NAME, clouds: must be a list"),
        ("OSEVENTS_CLOUDS__0__SOURCE", "OSEVENTS_CLOUDS__0__SOURCE, clouds[0].name: is missing"),
    ],
)
def test_what_variables_leave_wrong_is_told_with_one_of_them(variable: str, told: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        load_settings(None, {variable: "amqp"})

    assert str(caught.value) == told


def test_a_secrets_file_that_holds_nothing_is_the_one_thing_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("\n")

    with pytest.raises(Misconfigured) as caught:
        load_settings(None, {"OSEVENTS_BUS__URL_FILE": str(tmp_path / "url")}, require={"bus.url"})

    assert str(caught.value) == f"OSEVENTS_BUS__URL_FILE: the file {tmp_path / 'url'} is empty"


def test_what_is_needed_is_told_as_a_variable_when_there_is_no_file() -> None:
    with pytest.raises(Misconfigured) as raised:
        load_settings(None, {}, require=["bus.url"])
    assert [str(problem) for problem in raised.value.problems] == [
        "OSEVENTS_BUS__URL: is needed; set it, or bus.url in a configuration file"
    ]


def test_no_password_shows_in_settings_or_complaints(tmp_path: Path) -> None:
    text = _DESIGN.replace("osevents@", "osevents:hush@").replace("secret", "hush")
    assert "hush" not in repr(_load(tmp_path, text))
    bad = text.replace("postgresql:", "mysql:").replace("amqp:/", "http:/").replace("5672", "0")
    found = _complaints(tmp_path, bad)
    assert len(found) == 3
    assert "hush" not in "".join(found)


def test_no_setting_ends_like_the_name_of_a_secrets_file() -> None:
    def names(section: type[BaseModel]) -> list[str]:
        inner = [
            field.annotation
            for field in section.model_fields.values()
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        ]
        return [*section.model_fields, *(name for part in inner for name in names(part))]

    assert [name for name in names(Settings) if name.endswith("_file")] == []
