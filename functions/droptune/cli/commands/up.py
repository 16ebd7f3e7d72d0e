"""``droptune up``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import click

from ..group import CliError
from ..options import data_option, pipeline_option

POLL_SECONDS = 0.5


def _ports(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, int]:
    from localcloud.addresses import PORT_NAMES

    ports: dict[str, int] = {}
    for text in given:
        name, _, number = text.partition("=")
        if name not in PORT_NAMES or not number.isdecimal() or not 0 < int(number) < 65536:
            raise click.BadParameter(f"{text!r} is not SERVICE=PORT; services: {', '.join(PORT_NAMES)}")
        ports[name] = int(number)
    return ports


@click.command()
@data_option
@pipeline_option
@click.option(
    "--port",
    "ports",
    multiple=True,
    metavar="SERVICE=PORT",
    callback=_ports,
    help="Port of a service, such as storage=4443; repeat for more. Others take free ones, the same at every start.",
)
def up(data: Path, pipeline: Path | None, ports: Mapping[str, int]) -> None:
    """Run the local cloud until Ctrl-C. Its state stays in the data folder; runs that were under way go on."""
    from ..cloud import Child, CloudError, running
    from ..connection import pipeline_file
    from ..terminal import people_console

    if (cloud := running(data)) is not None:
        raise CliError(f"a local cloud runs on {data} already (process {cloud.pid}). Use it: `droptune drop PATH`.")
    console = people_console()
    began = time.monotonic()
    child = Child(pipeline or pipeline_file(), data, ports)
    try:
        for started in child.starting():
            console.print(f"{time.monotonic() - began:5.1f} s  {started.component}", soft_wrap=True)
        state = running(data)
        for name, address in sorted(state.addresses.items() if state else ()):
            console.print(f"  {name:15} {address}", soft_wrap=True)
        console.print(
            "The local cloud is up; Ctrl-C ends it. In another terminal: droptune drop PATH --watch", soft_wrap=True
        )
        console.print('For gcloud and Google\'s client libraries: eval "$(droptune env)"', soft_wrap=True)
        while child.alive():
            time.sleep(POLL_SECONDS)
    except CloudError as error:
        raise CliError(f"{error}. Look with `droptune doctor`.") from error
    except KeyboardInterrupt:
        console.print("Ending the local cloud.")
        return
    finally:
        child.stop()
    raise CliError(f"the local cloud ended by itself. Its log is {data / 'log.jsonl'}; look with `droptune doctor`.")
