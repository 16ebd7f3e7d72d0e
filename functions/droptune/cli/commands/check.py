"""``droptune check PATH…``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from ...events import Format, Role
from ..group import CliError, Exit
from ..options import data_option, json_option, project_option
from ..paths import shown

if TYPE_CHECKING:
    from ...datasets.report import Report, Status
    from ...datasets.tokens import Counter
    from ...methods.prices import Prices
    from ..checking import DataSet

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
# The options for reports in files, and the module and function of `datasets` that writes each.
FORMS = {"html": "page", "sarif": "sarif", "junit": "junit"}
OUT = click.Path(dir_okay=False, path_type=Path, allow_dash=True)


def _format(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    return _one_of(get_args(Format), value, value.lower().replace("-", "_"))


def _method(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    from ...datasets.purpose import REFUSED
    from ...methods.catalogue import known_methods

    name = value.lower().replace("-", "_")
    return name if name in REFUSED else _one_of(known_methods(), value, name)  # what is refused has rules that say why


def _model(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    from ...methods.catalogue import base_models

    return _one_of(base_models(), value, value)


def _one_of(allowed: Iterable[str], typed: str, name: str) -> str:
    names = list(allowed)
    if name not in names:
        raise click.BadParameter(f"{typed!r} is none of {', '.join(names)}.")
    return name


def _table(context: click.Context, option: click.Parameter, value: Path | None) -> Prices | None:
    if value is None:
        return None
    from ...errors import Refused
    from ...methods.prices import prices

    try:
        return prices(value)
    except Refused as error:
        raise click.BadParameter(str(error)) from error


def _counter(context: click.Context, option: click.Parameter, value: Path | None) -> Counter | None:
    if value is None:
        return None
    from ...datasets.tokens import tokenizer
    from ...errors import Refused

    try:
        return tokenizer(value)
    except Refused as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--role", type=click.Choice(get_args(Role)), help="What each file is.  [default: told by its name]")
@click.option(
    "--format", "fmt", metavar="FORMAT", callback=_format, help="The format of the rows.  [default: told by the rows]"
)
@click.option(
    "--model", metavar="MODEL", callback=_model, help="The base model whose limits count, such as gemini-2.5-flash."
)
@click.option("--method", metavar="METHOD", callback=_method, help="The tuning method, such as gemini_sft or rlhf.")
@click.option("--line-only", is_flag=True, help="Judge the lines; leave out how many rows there must or may be.")
@click.option("--no-content", is_flag=True, help="Do not look for near-duplicates, secrets and the like: faster.")
@click.option(
    "--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True, help="Language of the report."
)
@json_option
@click.option("--html", metavar="OUT", type=OUT, help="Write the report as one HTML page.")
@click.option("--sarif", metavar="OUT", type=OUT, help="Write the findings as SARIF 2.1.0.")
@click.option("--junit", metavar="OUT", type=OUT, help="Write the findings as JUnit XML.")
@click.option(
    "--tokenizer",
    metavar="FILE",
    envvar="DROPTUNE_TOKENIZER",
    show_envvar=True,
    type=EXISTING,
    callback=_counter,
    help="Count tokens with this tokenizer.json; without one they are estimated.",
)
@click.option(
    "--prices",
    metavar="FILE",
    envvar="DROPTUNE_PRICES",
    show_envvar=True,
    type=EXISTING,
    callback=_table,
    help="A YAML file of prices, over those that come with Droptune.",
)
@click.option("--processes", type=click.IntRange(1), help="Processes for a large file.  [default: one per core]")
@data_option
@project_option
@click.pass_context
def check(context: click.Context, /, paths: tuple[str, ...], lang: Any, as_json: bool, **options: Any) -> None:
    """Report everything that is wrong with data sets, as a run would find it. Nothing is uploaded.

    PATH is a file, a folder, or a gs:// address of either. Files that go together by name (cards_train.jsonl,
    cards_eval.jsonl) are judged together. `droptune explain CODE` tells more about a finding, `droptune fix FILE`
    corrects what can be corrected. OUT may be - for standard output.

    \b
    droptune check cards.jsonl
    droptune check cards_train.jsonl cards_eval.jsonl --html report.html
    droptune check gs://my-bucket/cards/ --project my-project --json

    Exit codes: 0 usable, 1 findings that block, 2 usage, 3 a file cannot be read.
    """
    from ...datasets.report import encode, merged

    outputs = {name: out for name in FORMS if (out := options[name]) is not None}
    if as_json + sum(str(out) == "-" for out in outputs.values()) > 1:
        raise click.UsageError("only one of --json, --html, --sarif and --junit can go to standard output.")
    found = _data_sets(paths, options)
    _keep(found, outputs.values())
    reports = [(one.path, _report(one, lang, options)) for one in found]
    whole = merged([report for _, report in reports])
    for name, out in outputs.items():
        _write(whole, lang, name, out)
    if as_json:
        click.echo(encode(whole), nl=False)
    elif all(str(out) != "-" for out in outputs.values()):
        _show(reports, lang)
    context.exit(Exit.DONE if all(report.counts.errors == 0 for _, report in reports) else Exit.YOUR_INPUT)


def _data_sets(paths: tuple[str, ...], options: dict[str, Any]) -> list[DataSet]:
    from ...request import Request
    from ..checking import data_sets

    wishes = Request(base_model=options["model"], method=options["method"])
    try:
        return data_sets(paths, options["role"], wishes, options["project"], options["data"])
    except OSError as error:
        raise _unreadable(error) from error


def _keep(found: Sequence[DataSet], outputs: Iterable[Path]) -> None:
    """A usage error when a report would replace one of the files that it is about."""
    read = [source.path for one in found for source in one.sources.values() if source.path is not None]
    for out in outputs:
        if out.exists() and any(out.samefile(path) for path in read):
            raise click.UsageError(f"{out} is one of the files to check. Give the report another name.")


def _report(one: DataSet, lang: Any, options: dict[str, Any]) -> Report:
    from ...datasets.check import Options, check_sources
    from ...datasets.describe import build
    from ...datasets.join import JOB
    from ...datasets.parallel import cores
    from ...errors import ObjectGone, Retryable

    judging = Options(
        line_only=options["line_only"],
        content=not options["no_content"],
        format=options["fmt"],
        counter=options["tokenizer"],
        prices=options["prices"],
        processes=options["processes"] or cores(),
    )
    try:
        checked = check_sources(one.sources, one.request, None, judging)
    except OSError as error:
        raise _unreadable(error) from error
    except (Retryable, ObjectGone) as error:
        raise CliError(f"{error}. Try again.") from error
    if one.refused is not None:
        file = None if one.refused.code == "SET-MIXED" else f"{one.path}/{JOB}"
        checked.findings.add(one.refused.code, one.refused.values, file=file, line=one.refused.line)
    if one.missing:
        checked.findings.add("SET-MISSING", {"found": ", ".join(one.missing)})
    status: Status = "rejected" if checked.findings.blocking else "waiting" if one.missing else "ready"
    return build(dataset=one.name, run_id=None, status=status, checked=checked, language=lang, missing=one.missing)


def _unreadable(error: OSError) -> CliError:
    return CliError(f"{shown(error.filename or 'a file')} cannot be read: {error.strerror or error}. Check the path.")


def _write(report: Report, lang: Any, name: str, out: Path) -> None:
    """Write the report in one of the `FORMS`, and say where it is."""
    from importlib import import_module

    module = import_module(f"...datasets.{FORMS[name]}", __package__)
    data: bytes = getattr(module, FORMS[name])(report, lang)
    try:
        with click.open_file(str(out), "wb") as file:
            file.write(data)
    except OSError as error:
        raise CliError(f"{shown(out)} cannot be written: {error.strerror}. Name another file.") from error
    if str(out) != "-":
        click.echo(f"Written: {shown(out)}", err=True)


def _show(reports: list[tuple[str | None, Report]], lang: Any) -> None:
    from ..terminal import print_data
    from ..views.checked import checked

    for number, (path, report) in enumerate(reports):
        if number:
            click.echo()
        print_data(checked(report, lang, path=path))
