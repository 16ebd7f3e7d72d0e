"""``droptune up``."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ..group import CliError
from ..options import data_option, pipeline_option

POLL_SECONDS = 0.5


@click.command()
@data_option
@pipeline_option
def up(data: Path, pipeline: Path | None) -> None:
    """Run the local cloud until Ctrl-C. Its state stays in the data folder; runs that were under way go on."""
    from ..cloud import Child, CloudError, running
    from ..connection import pipeline_file
    from ..terminal import people_console

    if (cloud := running(data)) is not None:
        raise CliError(f"a local cloud runs on {data} already (process {cloud.pid}). Use it: `droptune drop PATH`.")
    console = people_console()
    began = time.monotonic()
    child = Child(pipeline or pipeline_file(), data)
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
