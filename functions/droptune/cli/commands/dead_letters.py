"""``droptune dead-letters [list|replay]``."""

from __future__ import annotations

from pathlib import Path

import click

from ..connection import connect
from ..options import data_option, json_option, project_option


@click.command(name="dead-letters")
@click.argument("action", type=click.Choice(["list", "replay"]), default="list")
@click.option("--trigger", metavar="NAME", help="Only the messages of one trigger or subscription.")
@data_option
@project_option
@json_option
def dead_letters(action: str, trigger: str | None, data: Path, project: str | None, as_json: bool) -> None:
    """List or replay messages that nobody could handle.

    Every trigger gives up into its own dead-letter topic. `list` leaves the messages where they are. `replay`
    publishes them again to the topic they came from; every hop takes a repeat without harm.
    """
    from ..deadletters import DeadLetters
    from ..ledger import to_json
    from ..terminal import people_console, print_data
    from ..views.letters import letters_table

    connection = connect(data, project)
    wired = connection.wiring
    names = [trigger.name for trigger in wired.triggers] + [one.name for one in wired.subscriptions]
    box = DeadLetters(connection.session(), connection.pubsub, connection.project, names)
    letters = box.waiting(trigger) if action == "list" else list(box.replay(trigger))
    if as_json:
        click.echo(to_json(letters))
    elif letters:
        print_data(letters_table(letters))
    people = people_console()
    if not letters:
        people.print("No dead letters: every message found somebody who could handle it.", soft_wrap=True)
    elif action == "list":
        people.print("When the cause is mended: droptune dead-letters replay", soft_wrap=True)
    else:
        people.print(f"{len(letters)} replayed. What comes of them: droptune runs", soft_wrap=True)
