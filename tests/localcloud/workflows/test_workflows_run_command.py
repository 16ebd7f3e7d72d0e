"""`run`: the trace, the result, an error drawn with its stack, exit statuses, real requests and Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from workflows_echo import echo_server
from workflows_golden import COMMANDS, check_golden, run_command


def test_a_run_tells_each_step_and_counts_what_repeats(capsys: pytest.CaptureFixture[str]) -> None:
    """Nesting is indented, times are the execution's, two rounds of a loop are shown and the others counted."""
    ran = run_command(capsys, "run", "run.yaml", "--arg", "40", "--fast")
    assert ran.status == 0
    check_golden("run.txt", ran.out)


def test_a_failed_run_draws_the_step_and_its_callers(capsys: pytest.CaptureFixture[str]) -> None:
    """The failing line comes first, then those that called it; the status is 1."""
    ran = run_command(capsys, "run", "run.yaml", "--arg", "400", "--fast")
    assert ran.status == 1
    check_golden("run-failed.txt", ran.out)


def test_json_has_the_trace_and_the_stack(capsys: pytest.CaptureFixture[str]) -> None:
    """One object, with the same lines as data."""
    ran = run_command(capsys, "run", "run.yaml", "--arg", "400", "--fast", "--json")
    told = json.loads(ran.out)
    assert (ran.status, told["state"], told["steps"]) == (1, "FAILED", 831)
    assert told["error"]["payload"] == "too much"
    assert [frame["step"] for frame in told["error"]["stack"]] == ["give_up"]
    assert told["seconds"] == pytest.approx(3600 + 50 + 1 + 2)
    folded = [line["folded"] for line in told["trace"] if line["folded"]]
    assert folded[0] == 398
    assert json.loads(run_command(capsys, "run", "run.yaml", "--arg", "1", "--fast", "--json").out)["result"] == {
        "value": 1
    }


def test_requests_are_real_and_variables_are_given(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """--env and --arg @FILE reach the workflow, which calls a server."""
    definition = tmp_path / "call.yaml"
    definition.write_text(
        "main:\n  params: [a]\n  steps:\n    - ask:\n        call: http.get\n"
        '        args: {url: \'${sys.get_env("HOST") + "/x/" + a.name}\'}\n        result: r\n'
        "    - answer:\n        return: ${r.code}\n"
    )
    (tmp_path / "a.json").write_text('{"name": "n"}')
    with echo_server() as (address, paths):
        ran = run_command(
            capsys, "run", str(definition), "--arg", f"@{tmp_path / 'a.json'}", "--env", f"HOST={address}", "--fast"
        )
    assert ran.status == 0, ran.out + ran.err
    assert paths.all == ["/x/n"]
    assert "\n200\n" in ran.out


def test_a_workflow_may_call_its_own_callback_url(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Callback URLs answer while the run lasts."""
    definition = tmp_path / "callback.yaml"
    definition.write_text(
        "- make:\n    call: events.create_callback_endpoint\n    args: {http_callback_method: POST}\n"
        "    result: endpoint\n"
        "- call:\n    call: http.post\n    args: {url: '${endpoint.url}', body: {agreed: 1}}\n"
        "- wait:\n    call: events.await_callback\n    args: {callback: '${endpoint}', timeout: 60}\n"
        "    result: request\n"
        "- answer:\n    return: ${request.http_request.body}\n"
    )
    ran = run_command(capsys, "run", str(definition))
    assert ran.status == 0, ran.out
    assert '"agreed": 1' in ran.out


def test_a_run_can_be_kept_as_a_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """--html writes the execution's page, with values; a page that cannot be written is said, with status 3."""
    out = tmp_path / "run.html"
    assert run_command(capsys, "run", "run.yaml", "--arg", "40", "--fast", "--html", str(out)).status == 0
    page = out.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "SUCCEEDED" in page
    assert "820" in page
    ran = run_command(capsys, "run", "run.yaml", "--arg", "1", "--fast", "--html", str(tmp_path / "no" / "x.html"))
    assert ran.status == 3
    assert "x.html: No such file" in ran.err


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["refused.yaml"], 2, "refused.yaml:6:22: error"),
        (["run.yaml", "--arg", "{"], 2, "--arg is not JSON"),
        (["run.yaml", "--env", "GOOGLE_X=1"], 2, "GOOGLE"),
        (["run.yaml", "--env", "X"], 2, "not NAME=VALUE"),
        (["run.yaml", "--connector", "nothing=http://127.0.0.1:1"], 2, "nothing"),
        (["absent.yaml"], 3, "absent.yaml: No such file"),
        (["run.yaml", "--arg", "@absent.json"], 3, "absent.json: No such file"),
    ],
)
def test_what_cannot_be_run_says_why(
    capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, said: str
) -> None:
    """2 for what is refused, 3 for what cannot be read; the reason is on standard error."""
    ran = run_command(capsys, "run", *arguments)
    assert ran.status == status
    assert said in ran.err
    assert ran.out == ""


def _started(*options: str) -> subprocess.Popen[str]:
    """A run of run.yaml in a process of its own, with pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "localcloud", "workflows", "run", str(COMMANDS / "run.yaml"), "--arg", "9", *options],
        cwd=Path(__file__).parents[3] / "infra",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_reader_that_goes_away_does_not_stop_the_run() -> None:
    """`run FILE | head -1` ends as the execution does, without a word about the pipe."""
    process = _started("--fast")
    assert process.stdout is not None
    next(process.stdout)
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()


def test_ctrl_c_says_where_it_was() -> None:
    """The signal ends the run cleanly; the step under way is named."""
    process = _started()
    assert process.stdout is not None
    lines = [next(process.stdout) for _ in range(2)]
    deadline = time.monotonic() + 30
    while "branch" not in lines[-1] and time.monotonic() < deadline:
        lines.append(next(process.stdout))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.startswith("interrupted at step ")
    assert "line " in errors
