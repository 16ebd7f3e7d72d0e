"""``droptune doctor``."""

from __future__ import annotations

from pathlib import Path

import click

from ..group import Exit
from ..options import data_option, json_option


@click.command()
@data_option
@json_option
@click.pass_context
def doctor(context: click.Context, data: Path, as_json: bool) -> None:
    """Check this machine and the local cloud; each line that is not ok says what to do. Exit code 3 when one fails."""
    from ..health import CHECKS
    from ..ledger import to_json
    from ..terminal import print_data
    from ..views.health import health_line

    results = []
    for check in CHECKS:
        for result in check(data):
            results.append(result)
            if not as_json:
                print_data(health_line(result))
    if as_json:
        click.echo(to_json(results))
    context.exit(Exit.OUR_FAULT if any(result.level == "fail" for result in results) else Exit.DONE)
