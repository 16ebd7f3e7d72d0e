"""``droptune check PATH…``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from ...events import Format, Role
from ..group import CliError, Exit, InputError
from ..options import data_option, json_option, project_option

if TYPE_CHECKING:
    from ...datasets.report import Report

OUT = click.Path(dir_okay=False, path_type=Path, allow_dash=True)


def _format(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    name = value.replace("-", "_")
    if name not in get_args(Format):
        raise click.BadParameter(f"{value!r} is none of {', '.join(get_args(Format))}.")
    return name


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--role", type=click.Choice(get_args(Role)), help="What the files are.  [default: told by their names]")
@click.option("--format", "fmt", metavar="FORMAT", callback=_format, help="What the rows are.  [default: told by them]")
@click.option("--model", metavar="MODEL", help="The base model whose limits count, such as gemini-2.5-flash.")
@click.option("--method", metavar="METHOD", help="The tuning method, such as gemini_sft or rlhf.")
@click.option("--line-only", is_flag=True, help="Judge the lines; leave out how many rows there must or may be.")
@click.option("--no-content", is_flag=True, help="Leave out near-duplicates and what rows say: faster.")
@click.option("--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True, help="Language of findings.")
@json_option
@click.option("--html", metavar="OUT", type=OUT, help="Write the report as one HTML page.")
@click.option("--sarif", metavar="OUT", type=OUT, help="Write the findings as SARIF 2.1.0.")
@click.option("--junit", metavar="OUT", type=OUT, help="Write the findings as JUnit XML.")
@click.option(
    "--tokenizer",
    metavar="FILE",
    envvar="DROPTUNE_TOKENIZER",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="Count tokens with this tokenizer.json; without one they are estimated.",
)
@click.option(
    "--prices",
    metavar="FILE",
    envvar="DROPTUNE_PRICES",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="A YAML file of prices, over those that come with Droptune.",
)
@click.option("--processes", type=click.IntRange(1), help="Processes for a large file.  [default: one per core]")
@data_option
@project_option
@click.pass_context
def check(context: click.Context, /, paths: tuple[str, ...], lang: Any, as_json: bool, **options: Any) -> None:
    """Report every finding in data sets, as a run would: files, folders, or gs:// addresses. Nothing is uploaded.

    Files that go together by name (cards_train.jsonl, cards_eval.jsonl) are judged together. `droptune explain CODE`
    tells more about a finding, `droptune fix FILE` corrects what can be corrected.

    \b
    droptune check cards.jsonl
    droptune check cards_train.jsonl cards_eval.jsonl --html report.html
    droptune check train.jsonl --model gemini-2.5-flash --json

    Exit codes: 0 usable, 1 findings that block, 2 usage, 3 a file cannot be read.
    """
    from ...datasets.report import encode, merged

    reports = _reports(paths, lang, options)
    whole = merged([report for _, report in reports])
    written = _write(whole, lang, options)
    if as_json:
        click.echo(encode(whole), nl=False)
    elif "-" not in written:
        _show(reports, lang)
    context.exit(Exit.DONE if all(report.counts.errors == 0 for _, report in reports) else Exit.YOUR_INPUT)


def _reports(paths: tuple[str, ...], lang: Any, options: dict[str, Any]) -> list[tuple[str, Report]]:
    from ...datasets.check import Options, check_sources
    from ...datasets.describe import build
    from ...datasets.parallel import cores
    from ...datasets.tokens import tokenizer
    from ...errors import Refused, Retryable
    from ...methods.prices import prices
    from ...request import Request
    from ..checking import data_sets

    try:
        judging = Options(
            line_only=options["line_only"],
            content=not options["no_content"],
            format=options["fmt"],
            counter=tokenizer(options["tokenizer"]),
            prices=prices(options["prices"]) if options["prices"] else None,
            processes=options["processes"] or cores(),
        )
        wishes = Request(base_model=options["model"], method=options["method"])
        found = data_sets(paths, options["role"], wishes, options["project"], options["data"])
        reports: list[tuple[str, Report]] = []
        for one in found:
            checked = check_sources(one.sources, one.request, None, judging)
            status = "rejected" if checked.findings.blocking else "ready"
            report = build(dataset=one.name, run_id=None, status=status, checked=checked, language=lang)  # type: ignore[arg-type]
            reports.append((one.label, report))
    except OSError as error:
        raise CliError(
            f"{error.filename or 'a file'} cannot be read: {error.strerror or error}. Check the path."
        ) from error
    except Retryable as error:
        raise CliError(f"{error}. Try again.") from error
    except Refused as error:
        raise InputError(str(error)) from error
    return reports


def _write(report: Report, lang: Any, options: dict[str, Any]) -> list[str]:
    """Write the report in the forms asked for; where they went."""
    from importlib import import_module

    written: list[str] = []
    for name, module, function in (("html", "page", "page"), ("sarif", "sarif", "sarif"), ("junit", "junit", "junit")):
        out: Path | None = options[name]
        if out is None:
            continue
        data: bytes = getattr(import_module(f"...datasets.{module}", __package__), function)(report, lang)
        try:
            with click.open_file(str(out), "wb") as file:
                file.write(data)
        except OSError as error:
            raise CliError(f"{out} cannot be written: {error.strerror}. Name another file.") from error
        written.append(str(out))
    return written


def _show(reports: list[tuple[str, Report]], lang: Any) -> None:
    from ..terminal import print_data
    from ..views.checked import checked

    for number, (label, report) in enumerate(reports):
        if number:
            click.echo()
        print_data(checked(report, lang, path=label))
