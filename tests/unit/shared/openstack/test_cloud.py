import ssl
from pathlib import Path

import pytest

from shared.errors import Misconfigured
from shared.openstack.cloud import load_cloud

CLOUDS = """
clouds:
  prod:
    auth: {auth_url: "http://127.0.0.1/v3", username: u, password: hidden, project_name: p}
    region_name: R1
    interface: internal
    verify: false
  half:
    auth: {auth_url: "http://127.0.0.1/v3"}
    auth_type: v3applicationcredential
  sealed:
    auth: {auth_url: "https://127.0.0.1/v3", username: u, password: hidden, project_name: p}
    cacert: /nowhere/ca.pem
"""


@pytest.fixture(autouse=True)
def _clouds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "clouds.yaml"
    file.write_text(CLOUDS)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(file))


def test_region_interface_and_verification_come_from_the_file() -> None:
    cloud = load_cloud("prod")
    assert cloud.region_name == "R1"
    assert cloud.interfaces("compute") == ["internal"]
    assert cloud.ssl_context().verify_mode is ssl.CERT_NONE
    assert cloud.deadline_seconds == 30


def test_an_unknown_cloud_is_named_with_those_found_and_the_files_searched(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as caught:
        load_cloud("pord")
    message = str(caught.value)
    assert "cloud pord: there is no such cloud; found: half, prod, sealed" in message
    assert str(tmp_path / "clouds.yaml") in message


def test_a_file_of_the_environment_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = tmp_path / "absent.yaml"
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(absent))

    with pytest.raises(Misconfigured) as caught:
        load_cloud("pord")

    message = str(caught.value)
    assert message.count(str(absent)) == 1
    assert f"{absent} (which is not there)" in message


def test_an_entry_that_lacks_credentials_says_what_is_missing() -> None:
    with pytest.raises(Misconfigured, match="cloud half: cannot be used"):
        load_cloud("half")


def test_a_certificate_that_cannot_be_read_is_named() -> None:
    with pytest.raises(Misconfigured, match=r"/nowhere/ca\.pem"):
        load_cloud("sealed").ssl_context()


@pytest.mark.parametrize("content", ["clouds: [", "[]"])
def test_a_file_that_is_no_yaml_or_no_mapping_is_a_misconfiguration(
    tmp_path: Path, content: str
) -> None:
    (tmp_path / "clouds.yaml").write_text(content)
    with pytest.raises(
        Misconfigured, match=r"clouds\.yaml, cloud prod: .*(found: none|mapping|read)"
    ):
        load_cloud("prod")


@pytest.mark.parametrize(
    "text",
    [
        "clouds: 1",
        "clouds: [prod]",
        "clouds: {prod: 1}",
        "clouds: {prod: {auth: 1}}",
        "clouds: {prod: {auth: {auth_url: 1}}}",
        "clouds: {prod: {auth: {auth_url: 'http://x'}, api_timeout: soon}}",
        "[" * 3000,
    ],
)
def test_a_file_of_another_shape_is_a_misconfiguration(tmp_path: Path, text: str) -> None:
    (tmp_path / "clouds.yaml").write_text(text)

    with pytest.raises(Misconfigured, match="cloud prod: cannot be"):
        load_cloud("prod")


def test_secrets_are_not_printed() -> None:
    assert "hidden" not in repr(load_cloud("prod"))
