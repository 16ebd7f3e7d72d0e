"""Where a command works: on the local cloud that runs, or, with ``--project``, on Google Cloud."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cloud import LOG_FILE, running
from .group import CliError

if TYPE_CHECKING:
    import requests

    from localcloud.wiring import Wiring

GOOGLE_REGION = "us-central1"


@dataclass(frozen=True)
class Connection:
    """Names and addresses of one deployment. `storage` is None for Google's own; `data` is None on Google Cloud."""

    project: str
    region: str
    intake: str
    runs: str
    storage: str | None
    vertex: str
    pubsub: str
    data: Path | None
    wiring: Wiring

    @property
    def log(self) -> Path | None:
        """The file of all log lines, on the local cloud."""
        return self.data / LOG_FILE if self.data is not None else None

    def run_folder(self, run_id: str) -> str:
        """Where a person finds a run's ledger: a folder on this machine, or a bucket address."""
        if self.data is None:
            return f"gs://{self.runs}/{run_id}/"
        return str(self.data / "storage" / self.runs / run_id) + "/"

    def storage_client(self) -> Any:
        """A Cloud Storage client for this deployment."""
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import storage

        if self.storage is None:
            return storage.Client(project=self.project)
        options = {"api_endpoint": self.storage}
        session = self.session()
        return storage.Client(self.project, AnonymousCredentials(), _http=session, client_options=options)

    def session(self) -> requests.Session:
        """An HTTP session for the REST APIs, with credentials where the addresses are Google's."""
        if self.storage is None:
            import google.auth
            from google.auth.transport.requests import AuthorizedSession

            credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
            authorized: requests.Session = AuthorizedSession(credentials)
            return authorized
        import requests

        session = requests.Session()
        session.trust_env = False  # neither a proxy for a loopback address nor a password from ~/.netrc
        return session


def connect(data: Path, project: str | None = None) -> Connection:
    """The deployment to work on; CliError naming the next command when no cloud runs on `data`."""
    if project is not None:
        return _connection(project, GOOGLE_REGION, pipeline_file(), {}, None)
    cloud = running(data)
    if cloud is None:
        raise CliError(
            f"no local cloud runs on {data}. Start one with `droptune up` (another terminal), or try `droptune demo`."
        )
    return _connection(cloud.project, cloud.region, Path(cloud.pipeline), cloud.addresses, data)


def _connection(project: str, region: str, pipeline: Path, addresses: dict[str, str], data: Path | None) -> Connection:
    from localcloud import wiring

    read = wiring.read(pipeline, project, region, "")
    return Connection(
        project=project,
        region=region,
        intake=read.functions_environment["DROPTUNE_INTAKE_BUCKET"],
        runs=read.functions_environment["DROPTUNE_RUNS_BUCKET"],
        storage=addresses.get("storage"),
        vertex=addresses.get("vertex", f"https://{region}-aiplatform.googleapis.com"),
        pubsub=addresses.get("pubsub_rest", "https://pubsub.googleapis.com"),
        data=data,
        wiring=read,
    )


def default_data_folder() -> Path:
    """``droptune/cloud`` in the user's folder for state."""
    import platformdirs

    return platformdirs.user_state_path("droptune") / "cloud"


def pipeline_file() -> Path:
    """``infra/pipeline.yaml`` beside the installed local cloud; CliError when it is not there."""
    spec: Any = importlib.util.find_spec("localcloud")
    path = Path(spec.origin).parent.parent / "pipeline.yaml"
    if not path.exists():
        raise CliError(
            f"{path} is missing. Install from a clone (`pip install -r requirements.txt`), or name one with --pipeline."
        )
    return path
