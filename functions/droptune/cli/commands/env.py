"""``droptune env``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from ..cloud import Cloud, running
from ..group import CliError
from ..options import data_option, json_option


@click.command()
@data_option
@json_option
def env(data: Path, as_json: bool) -> None:
    """Print the exports that point real clients at the local cloud: eval "$(droptune env)"."""
    cloud = running(data)
    if cloud is None:
        raise CliError(f"no local cloud runs on {data}. Start one with `droptune up`.")
    gcloud_folder = data.resolve() / "gcloud"
    gcloud_folder.mkdir(exist_ok=True)  # gcloud wants its own, empty one
    values = variables(cloud, gcloud_folder)
    if as_json:
        click.echo(json.dumps(values, indent=2))
    else:
        for name, value in values.items():
            click.echo(f"export {name}={shlex.quote(value)}")


def variables(cloud: Cloud, gcloud_folder: Path) -> dict[str, str]:
    """What the Google clients, Droptune's own and gcloud read, with the local cloud's addresses."""
    addresses = cloud.addresses
    overrides = {
        "STORAGE": addresses["storage"],
        "PUBSUB": addresses["pubsub_rest"],
        "WORKFLOWS": addresses["workflows"],
        "WORKFLOWEXECUTIONS": addresses["workflows"],
        "AIPLATFORM": addresses["vertex"],
    }
    return {
        "STORAGE_EMULATOR_HOST": addresses["storage"],
        "PUBSUB_EMULATOR_HOST": addresses["pubsub"],
        "PUBSUB_REST_ENDPOINT": addresses["pubsub_rest"],
        "WORKFLOWS_ENDPOINT": addresses["workflows"],
        "WORKFLOWS_GRPC_ENDPOINT": addresses["workflows_grpc"],
        "VERTEX_ENDPOINT": addresses["vertex"],
        "GOOGLE_CLOUD_PROJECT": cloud.project,
        **{f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}": f"{address}/" for name, address in overrides.items()},
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_PROJECT": cloud.project,
        "CLOUDSDK_CONFIG": str(gcloud_folder),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        # fake-gcs-server answers the deletion of an upload's parts with a body, at which gcloud fails.
        "CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_ENABLED": "False",
    }
