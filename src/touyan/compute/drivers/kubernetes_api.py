"""Requests to the API of a Kubernetes cluster, as plain JSON.

Owns how a cluster is reached and what a status means. Knows nothing of Jobs. The official client reads kubeconfigs and renews
credentials (plug-ins, service accounts); its models are left aside, because they drop what they do not know, and a cluster may be
years older or younger than they are. Invariant: an answer that is not the API's own word about a request is Unreachable.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from touyan.compute.drivers.engine import Unreachable
from touyan.core.errors import Broken, Invalid, Refused, missing_extra

if TYPE_CHECKING:
    import ssl

    import httpx

Json: TypeAlias = Mapping[str, Any]
TIMEOUT_S = 20.0
"""Of one request; the API server itself gives up on a list after 60 s."""
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")

WATCH_S = 60.0
"""Of one watch: a connection that died unnoticed hides no change for longer."""
SLACK_S = 5.0
"""Beyond it, until we end a watch that its server did not."""


class Absent(Broken):
    """What was asked for is not there."""


class Taken(Broken):
    """What was to be made is there already."""


class KubernetesApi:
    """One cluster. Raises Invalid where the kubeconfig cannot be used, Missing without the extra."""

    def __init__(self, kubeconfig: str = "", context: str = "") -> None:
        import httpx

        self._configuration = _configuration(kubeconfig, context)
        limits = httpx.Limits(max_keepalive_connections=0)  # no socket is left behind; one list a second needs none kept
        verify = _tls(self._configuration)
        self._client = httpx.Client(
            verify=verify, timeout=TIMEOUT_S, limits=limits, proxy=self._configuration.proxy, trust_env=False
        )
        self.watch_s = WATCH_S

    def get(self, path: str, **query: str) -> Json:
        return self._ask("GET", path, query=query)

    def watch(self, path: str, **query: str) -> Iterator[Json]:
        """Changes as they come, for `watch_s` at most. Raises as the other calls do."""
        import httpx

        asked = {**query, "watch": "true", "timeoutSeconds": str(int(self.watch_s))}
        timeout = httpx.Timeout(TIMEOUT_S, read=self.watch_s + SLACK_S)
        url, options = f"{self._configuration.host}{path}", self._options()
        try:
            with self._client.stream("GET", url, params=asked, timeout=timeout, **options) as answer:
                if not answer.is_success:
                    answer.read()
                    raise error_of(answer)
                yield from (cast(Json, json.loads(line)) for line in answer.iter_lines() if line.strip())
        except (httpx.HTTPError, ValueError) as error:
            raise Unreachable("Kubernetes", str(error) or type(error).__name__) from error

    def post(self, path: str, body: Json) -> Json:
        return self._ask("POST", path, body)

    def patch(self, path: str, body: Json) -> Json:
        """RFC 7396."""
        return self._ask("PATCH", path, body, kind="application/merge-patch+json")

    def delete(self, path: str, options: Json) -> Json:
        return self._ask("DELETE", path, options)

    def _ask(
        self, method: str, path: str, body: Json | None = None, query: Json | None = None, kind: str = "application/json"
    ) -> Json:
        """One request. Raises Taken (409), Absent (404), Refused (the cluster says no), Unreachable (all else)."""
        import httpx

        url, options = f"{self._configuration.host}{path}", self._options(kind)
        try:
            answer = self._client.request(method, url, json=body, params=query, **options)
            if answer.is_success:
                return cast(Json, answer.json())
        except (httpx.TransportError, ValueError) as error:
            raise Unreachable("Kubernetes", str(error) or type(error).__name__) from error
        raise error_of(answer)

    def _options(self, kind: str = "application/json") -> dict[str, Any]:
        """Headers, and the name to verify. Raises Unreachable where the credential cannot be renewed."""
        name = getattr(self._configuration, "tls_server_name", None)
        extensions = {"extensions": {"sni_hostname": name}} if name else {}
        return {"headers": {"Content-Type": kind, **self._credential()}, **extensions}

    def _credential(self) -> dict[str, str]:
        """That of the moment: the official client runs the kubeconfig's plug-in, or reads a token's file, where one has expired."""
        from kubernetes.config import ConfigException

        try:
            given = self._configuration.auth_settings().values()
        except (OSError, ConfigException) as error:
            raise Unreachable("Kubernetes", f"its credential cannot be renewed: {error}") from error
        return {str(one["key"]): str(one["value"]) for one in given if one["in"] == "header"}


def error_of(answer: httpx.Response) -> Broken | Refused:
    """What a status means. 401 (a credential was rotated), 429 and 5xx say nothing of what was asked."""
    said = _message(answer) or answer.reason_phrase
    match answer.status_code:
        case 403:
            return Refused("engine-forbidden", f"Kubernetes forbids it: {said}", "see the agent's Role, and the ResourceQuota")
        case 404:
            return Absent("no-object", f"Kubernetes: {said}", "see that the namespace exists")
        case 409:
            return Taken("object-exists", f"Kubernetes: {said}", "look at it with kubectl")
        case 400 | 422:
            return Refused("engine-refused", f"Kubernetes refused it: {said}", "see driver.* in site.yaml")
        case other:
            return Unreachable("Kubernetes", f"status {other}: {said}")


def _message(answer: httpx.Response) -> str:
    """The words of a `Status` object."""
    try:
        return str(answer.json()["message"])
    except (TypeError, ValueError, KeyError):
        return ""


def _configuration(kubeconfig: str, context: str) -> Any:
    """Address, certificates and credentials: of a kubeconfig, or of the pod the agent runs in."""
    try:
        from kubernetes import client, config
    except ImportError as error:
        raise missing_extra("kubernetes", "kubernetes") from error
    configuration = client.Configuration()
    try:
        if kubeconfig or not SERVICE_ACCOUNT.exists():
            config.load_kube_config(kubeconfig or None, context or None, configuration)
        else:
            config.load_incluster_config(configuration)
    except config.ConfigException as error:
        raise Invalid("bad-driver-settings", f"driver.kubeconfig: {error}", "see: kubectl config view") from error
    return configuration


def _tls(configuration: Any) -> ssl.SSLContext:
    """What proves the cluster to us, and us to the cluster."""
    import ssl

    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if not configuration.verify_ssl:  # the owner's kubeconfig says insecure-skip-tls-verify
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context
