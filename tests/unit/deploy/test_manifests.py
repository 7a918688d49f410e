"""What deploy/kubernetes asks of Kubernetes is valid, and hangs together."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from services.cli.main import COMMANDS
from shared.runtime.sections import DEFAULT_PORTS, ListenerSettings
from shared.runtime.settings import Settings, load_settings
from shared.store.database import _STATEMENT_SECONDS
from tests.support.kustomize import Manifest, apply, containers, render
from tests.support.pods import Process, processes

KUBERNETES = Path(__file__).parents[3] / "deploy" / "kubernetes"
ROOTS = ("base", "overlays/simulated", "overlays/example")
VERSIONS = ("1.29", "1.37")
"""The oldest that is still run by many, and the newest that the validator knows."""
SERVICES = ("catcher", "processor", "refresher")
GOODBYE_SECONDS = 5
"""For the last requests, connections and the end of the interpreter."""

Labels = dict[str, str]


def rendered(root: str) -> list[Manifest]:
    return render(KUBERNETES / root)


def of(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [one for one in manifests if one["kind"] == kind]


def pod_labels(manifests: list[Manifest]) -> list[Labels]:
    return [
        one["spec"]["template"]["metadata"]["labels"]
        for one in manifests
        if "template" in one.get("spec", {})
    ]


def selected(selector: Labels, pods: list[Labels]) -> list[Labels]:
    return [labels for labels in pods if selector.items() <= labels.items()]


def time_to_stop() -> float:
    """Return for how many seconds a service may go on after SIGTERM."""
    return Settings().drain_timeout.total_seconds() + _STATEMENT_SECONDS + GOODBYE_SECONDS


def services_of(root: str) -> dict[str, Process]:
    found = {process.container["name"]: process for process in processes(rendered(root))}
    return {name: found[name] for name in SERVICES}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("root", ROOTS)
def test_every_manifest_fits_the_schemas_of_kubernetes(root: str, version: str) -> None:
    for manifest in rendered(root):
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("root", ROOTS)
def test_selectors_find_the_pods_that_they_are_for(root: str) -> None:
    manifests = rendered(root)
    pods = pod_labels(manifests)

    for one in of(manifests, "Deployment"):
        selector = one["spec"]["selector"]["matchLabels"]
        own = one["spec"]["template"]["metadata"]["labels"]
        assert selected(selector, pods) == [own], one["metadata"]["name"]
        for spread in one["spec"]["template"]["spec"].get("topologySpreadConstraints", ()):
            assert spread["labelSelector"]["matchLabels"] == selector
    for one in of(manifests, "PodDisruptionBudget"):
        assert len(selected(one["spec"]["selector"]["matchLabels"], pods)) == 1
    for one in of(manifests, "Service"):
        assert selected(one["spec"]["selector"], pods), one["metadata"]["name"]
    for one in of(manifests, "HorizontalPodAutoscaler"):
        target = one["spec"]["scaleTargetRef"]
        [scaled] = [
            each
            for each in of(manifests, target["kind"])
            if each["metadata"]["name"] == target["name"]
        ]
        assert "replicas" not in scaled["spec"], "applying again would undo the autoscaler"


def test_the_pod_monitor_finds_every_service_and_its_port() -> None:
    [monitor] = render(KUBERNETES / "components" / "monitoring")
    found = selected(
        monitor["spec"]["selector"]["matchLabels"],
        [
            one["spec"]["template"]["metadata"]["labels"]
            for one in of(rendered("base"), "Deployment")
        ],
    )
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]

    assert len(found) == len(SERVICES)
    assert (endpoint["port"], endpoint["path"]) == ("http", "/metrics")


def test_the_webhook_is_reached_at_the_catchers_alone_and_given_time_to_be_left() -> None:
    manifests = apply(KUBERNETES / "components" / "webhook", rendered("base"))
    [service] = [one for one in of(manifests, "Service") if "webhook" in one["metadata"]["name"]]
    [catcher] = [
        one
        for one in of(manifests, "Deployment")
        if service["spec"]["selector"].items()
        <= one["spec"]["template"]["metadata"]["labels"].items()
    ]
    [process] = [one for one in processes(manifests) if one.arguments[0] == "catcher"]
    port = {one["name"]: one["containerPort"] for one in process.container["ports"]}["webhook"]
    pause = float(process.container["lifecycle"]["preStop"]["exec"]["command"][1])

    for one in (service, catcher):
        kubernetes_validate.validate(one, VERSIONS[-1], strict=True)
    assert port == ListenerSettings().port
    setting = "OSEVENTS_WEBHOOK__HOST"
    told = load_settings(None, {setting: process.environment[setting]})
    assert told.webhook.host == "0.0.0.0"
    assert process.pod["terminationGracePeriodSeconds"] >= time_to_stop() + pause


def test_only_who_needs_to_may_connect() -> None:
    policies = render(KUBERNETES / "components" / "network-policy")
    pods = [
        one["spec"]["template"]
        for one in apply(KUBERNETES / "components" / "webhook", rendered("base"))
        if "template" in one.get("spec", {})
    ]
    let_in = {
        (pod["metadata"]["labels"]["app.kubernetes.io/component"], port["name"])
        for pod in pods
        for policy in policies
        if selected(policy["spec"]["podSelector"]["matchLabels"], [pod["metadata"]["labels"]])
        for rule in policy["spec"]["ingress"]
        for wanted in rule["ports"]
        for port in pod["spec"]["containers"][0].get("ports", ())
        if wanted["port"] in {port["name"], port["containerPort"]}
    }

    for policy in policies:
        kubernetes_validate.validate(policy, VERSIONS[0], strict=True)
        assert policy["spec"]["policyTypes"] == ["Ingress"], "what pods connect to is not limited"
    assert let_in == {*((name, "http") for name in SERVICES), ("catcher", "webhook")}


def test_copies_spread_over_nodes_and_zones_whatever_a_rollout_leaves() -> None:
    for name, process in services_of("base").items():
        spread = process.pod["topologySpreadConstraints"]

        assert [one["topologyKey"].rpartition("/")[2] for one in spread] == ["hostname", "zone"]
        for one in spread:
            assert one["matchLabelKeys"] == ["pod-template-hash"], name
            assert one["whenUnsatisfiable"] == "ScheduleAnyway", "one node is enough to run"


def test_a_bus_that_is_away_keeps_no_node_from_being_drained() -> None:
    for budget in of(rendered("base"), "PodDisruptionBudget"):
        assert budget["spec"]["maxUnavailable"] == 1
        assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


@pytest.mark.parametrize("root", ROOTS[1:])
def test_what_pods_mount_and_name_is_there(root: str) -> None:
    manifests = rendered(root)
    there = {(one["kind"], one["metadata"]["name"]) for one in manifests}
    for manifest in manifests:
        pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
        volumes = {volume["name"]: volume for volume in pod.get("volumes", ())}
        for volume in volumes.values():
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in there
            if "secret" in volume:
                assert ("Secret", volume["secret"]["secretName"]) in there
        if "serviceAccountName" in pod:
            assert ("ServiceAccount", pod["serviceAccountName"]) in there
        mounted = {mount["name"] for one in containers(manifest) for mount in one["volumeMounts"]}
        assert mounted == set(volumes), manifest["metadata"]["name"]


@pytest.mark.parametrize("root", ROOTS)
def test_no_pod_may_do_more_than_it_needs(root: str) -> None:
    for manifest in rendered(root):
        for container in containers(manifest):
            pod: dict[str, Any] = manifest["spec"]["template"]["spec"]
            may = container["securityContext"]
            assert pod["securityContext"]["runAsNonRoot"]
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            assert pod["automountServiceAccountToken"] is False
            assert pod["enableServiceLinks"] is False
            assert may["capabilities"] == {"drop": ["ALL"]}
            assert may["allowPrivilegeEscalation"] is False
            assert "memory" in container["resources"]["limits"]
            if container["image"].rpartition("/")[2].startswith("osevents:"):
                assert may["readOnlyRootFilesystem"] is True
                # Python finds no temporary directory otherwise, which libraries ask for on import.
                writable = [
                    mount["mountPath"]
                    for mount in container["volumeMounts"]
                    if not mount.get("readOnly")
                ]
                assert writable == ["/tmp"]


@pytest.mark.parametrize("name", SERVICES)
def test_probes_and_scrapes_go_where_the_service_listens(name: str) -> None:
    [manifest] = [
        one for one in of(rendered("base"), "Deployment") if one["metadata"]["name"].endswith(name)
    ]
    process = services_of("base")[name]
    container = process.container
    annotations = manifest["spec"]["template"]["metadata"]["annotations"]

    assert container["ports"] == [{"name": "http", "containerPort": DEFAULT_PORTS[name]}]
    assert annotations["prometheus.io/port"] == str(DEFAULT_PORTS[name])
    asked = {
        kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")
    }
    assert {one["port"] for one in asked.values()} == {"http"}
    assert process.environment["OSEVENTS_HTTP__HOST"] == "0.0.0.0", "the kubelet is not loopback"
    assert name in COMMANDS


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_given_the_time_that_it_may_take_to_stop(name: str) -> None:
    pod = services_of("base")[name].pod

    assert pod["terminationGracePeriodSeconds"] >= time_to_stop()


def test_the_processor_is_given_no_credentials_of_a_cloud() -> None:
    named = {root: services_of(root)["processor"] for root in ROOTS}

    for root, process in named.items():
        volumes = [volume["name"] for volume in process.pod["volumes"]]
        assert volumes == ["config", "urls", "scratch"], root
