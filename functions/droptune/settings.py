"""The only reader of the environment: `Settings.from_env` is called once per instance."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass


class SettingError(Exception):
    """A variable is missing or unusable; the message names it."""


@dataclass(frozen=True)
class Settings:
    """Where this deployment lives. The wiring file sets the same names for every function.

    `vertex_endpoint` holds ``{region}`` on Google Cloud, a plain-http address elsewhere; credentials need https.
    """

    project: str
    region: str
    intake_bucket: str
    runs_bucket: str
    vertex_endpoint: str
    webhooks: tuple[str, ...] = ()

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read and check every variable; SettingError names the first that is missing."""

        def required(name: str) -> str:
            value = env.get(name, "").strip()
            if not value:
                raise SettingError(f"environment variable {name} is not set; infra/pipeline.yaml sets it on deployment")
            return value

        return cls(
            project=required("DROPTUNE_PROJECT"),
            region=required("DROPTUNE_REGION"),
            intake_bucket=required("DROPTUNE_INTAKE_BUCKET"),
            runs_bucket=required("DROPTUNE_RUNS_BUCKET"),
            vertex_endpoint=env.get("VERTEX_ENDPOINT", "https://{region}-aiplatform.googleapis.com").rstrip("/"),
            webhooks=tuple(_urls(env.get("DROPTUNE_WEBHOOKS", ""))),
        )

    def vertex(self, region: str | None = None) -> str:
        """The Vertex AI address of a region, without a trailing slash."""
        return self.vertex_endpoint.replace("{region}", region or self.region)

    @property
    def on_google_endpoint(self) -> bool:
        """Whether Vertex AI is Google's own service, whose retired models the catalogue knows for certain."""
        host = urllib.parse.urlsplit(self.vertex()).hostname or ""
        return host == "googleapis.com" or host.endswith(".googleapis.com")


def _urls(text: str) -> list[str]:
    urls = [part.strip() for part in text.split(",") if part.strip()]
    for url in urls:
        if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
            raise SettingError(f"DROPTUNE_WEBHOOKS: {url!r} is not an http(s) address; separate several by commas")
    return urls
