"""What every command promises, and the manners of a program in a shell."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
import typer
from slow import after
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.cli.examples import EXAMPLES
from vmbmodel.service import consistency

ROOT = Path(__file__).parents[1]
FILES = (
    *sorted((ROOT / "book/examples").iterdir()),
    ROOT / "notebooks/data/fleet.csv",
    ROOT / "notebooks/day.ipynb",
)


def walk(command, *names):
    for name, sub in getattr(command, "commands", {}).items():
        yield " ".join((*names, name)), sub
        yield from walk(sub, *names, name)


COMMANDS = dict(walk(typer.main.get_command(app)))
every_command = pytest.mark.parametrize("name", COMMANDS)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for path in FILES:
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def program(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "vmbmodel", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **options,
    )


# --- every command ------------------------------------------------------------------


@every_command
def test_the_help_says_what_it_does_and_shows_examples(name):
    shown = CliRunner().invoke(app, [*name.split(), "--help"])
    assert shown.exit_code == 0
    command = COMMANDS[name]
    assert command.help.strip()
    for parameter in command.params:
        assert parameter.name == "help" or parameter.help, parameter.name
    for _, line in EXAMPLES[name]:
        assert line in shown.stdout


@pytest.mark.parametrize("width", [46, 80])
def test_the_list_of_commands_is_whole_on_any_screen(width):
    shown = program("--help", env=os.environ | {"COLUMNS": str(width)}).stdout
    assert max(map(len, shown.splitlines())) <= width
    words = " ".join(shown.split())
    for name, command in COMMANDS.items():
        if " " not in name:
            what = " ".join(command.help.partition("\n\n")[0].split())
            assert f"{name} {what}" in words


@pytest.mark.parametrize(
    "name", after(len(COMMANDS) - 1, sorted(COMMANDS, key="rerun".__eq__))
)
def test_every_example_runs_as_it_is_printed(name, folder):
    for _, line in EXAMPLES[name]:
        program, *words = shlex.split(line)
        assert program == "vmbmodel"
        before = set(folder.iterdir())
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, f"{line}\n{done.output}"
        assert done.stdout or set(folder.iterdir()) - before


def test_no_help_waits_for_what_only_an_answer_needs():
    code = """if True:
        import sys
        from vmbmodel.cli import app
        for name in sys.argv[1:]:
            app([*name.split(), "--help"], standalone_mode=False)
        heavy = {"numpy", "pandas", "scipy", "pyarrow", "rich.console", "matplotlib"}
        print(*heavy & sys.modules.keys(), file=sys.stderr)
    """
    done = subprocess.run(
        [sys.executable, "-c", code, "", *COMMANDS],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("Usage:") == 1 + len(COMMANDS)
    assert done.stderr == "\n"


def test_no_example_is_of_a_command_that_is_not_there():
    assert EXAMPLES.keys() == COMMANDS.keys()


@every_command
def test_what_can_be_set_can_stand_in_a_scenario(name):
    options = {option for p in COMMANDS[name].params for option in p.opts}
    assert ("--set" in options) == ("--scenario" in options)


@every_command
def test_an_unknown_option_is_bad_input(name):
    done = CliRunner().invoke(app, [*name.split(), "--no-such-option"])
    assert done.exit_code == 2
    assert "Traceback" not in done.output


# --- the book -----------------------------------------------------------------------

PAGES = [
    path
    for path in sorted((ROOT / "book").glob("*.md"))
    if "```{cli-output}" in path.read_text("utf-8")
]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_command_of_a_page_does_what_the_page_says(path, folder):
    text = path.read_text("utf-8")
    blocks = re.findall(r"^```\{cli-output\} (.+)\n((?::.+\n)*)```$", text, re.M)
    assert len(blocks) == text.count("```{cli-output}")
    for line, options in blocks:
        done = CliRunner().invoke(app, shlex.split(line)[1:])
        status = re.search(r":status: (\d)", options)
        assert done.exit_code == int(status[1] if status else 0), done.output
        head = re.search(r":head: (\d+)", options)
        assert not head or int(head[1]) < done.output.count("\n"), line
        begin = re.search(r":from: (.+)", options)
        assert not begin or f"\n{begin[1]}" in done.output, line


@pytest.mark.skipif(
    not hasattr(typer.core.TyperOption, "display_type"),
    reason="the book needs typer 0.29",
)
def test_the_reference_has_every_command_and_option(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book/_ext")
    reference = __import__("cli_reference")
    listed = dict(reference.commands(reference.TOP))
    assert listed.keys() == COMMANDS.keys() - {"prices"}
    for name, command in listed.items():
        shown = CliRunner().invoke(app, [*name.split(), "--help"]).stdout
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert reference.spelling(parameter, first=True).split()[0] in shown
            else:
                assert reference.metavar(parameter) in " ".join(
                    reference.pieces(command)
                )


def test_what_a_phone_shows_of_a_command_stops_where_a_desk_does(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book/_ext")
    book = __import__("cli_output")
    wide = ["two", "", " a  1  GRS", " a  2  LRS", " b  3  LRS", "(left", "  out)", "x"]
    narrow = ["two", "", " a", "   n  1", " a", "   n  2", " b", "", "(left out)", "x"]
    places = {head: book.same_place(wide, head, narrow) for head in range(1, 8)}
    assert places == {1: 2, 2: 2, 3: 4, 4: 6, 5: 8, 6: None, 7: 9}
    line = 'vmbmodel estimate a.csv --compare "b=7 c=12" --set churn_frac=0.1 -o x'
    for columns, rows in ((80, 1), (46, 3), (30, 4), (28, 4)):
        command = book.broken(line, columns)
        lines = command.splitlines()
        assert len(lines) == rows
        assert max(map(len, lines)) <= columns
        assert lines[0].startswith("vmbmodel")
        assert shlex.split(command.replace("\\\n", "")) == shlex.split(line)
    remark = "  Note: 1 VM is in no vault; --protected-only leaves it out"
    parts = ["  Note: 1 VM is in no vault;", "--protected-only leaves it out"]
    assert book.wrapped(remark, 35) == parts
    assert book.wrapped("a" * 50, 46) == ["a" * 50]
    assert book.wrapped("   a  1", 46) == ["   a  1"]


def test_every_case_of_consistency_has_its_line(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book/_ext")
    tables = __import__("rules_tables")
    reasons = {
        consistency(**{"power": "running"} | given).why for _, given in tables.CASES
    }
    text = files("vmbmodel.service").joinpath("consistency.toml").read_text("utf-8")
    cases = tomllib.loads(text)["case"]
    assert reasons == {case["why"] for case in cases if "until" not in case}


# --- remarks ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "remarks"),
    [
        (["redundancy=GRS"], ["redundancy: redundancy in every row"]),
        (["start_h=22"], ["start_h: start_h in 1 of 2 rows"]),
        (["churn_frac=0.1"], ["churn_frac: churn_gib_per_day in every row"]),
        (["vault_servers=20"], []),
    ],
)
def test_a_setting_that_cells_go_before_is_said_aloud(folder, settings, remarks):
    Path("two.csv").write_text(
        "vm,disk,role,size_gib,used_gib,redundancy,start_h,churn_gib_per_day\n"
        "a,c,os,64,30,LRS,23,1\nb,c,os,64,30,ZRS,,1\n",
        "utf-8",
    )
    words = [word for setting in settings for word in ("--set", setting)]
    said = CliRunner().invoke(app, ["estimate", "two.csv", *words]).stderr
    wanted = [
        "vmbmodel: {} is set for blank cells only; the inventory gives{}\n".format(
            *remark.split(":")
        )
        for remark in remarks
    ]
    assert said == "".join(wanted)


def test_quiet_prints_no_remark_and_verbose_every_step(folder):
    words = ["estimate", "fleet.csv", "--set", "max_disk_gib=5", "-o", "out.txt"]
    usual = CliRunner().invoke(app, words)
    assert usual.stderr == "vmbmodel: --set max_disk_gib changes nothing here\n"
    quiet = CliRunner().invoke(app, ["--quiet", *words, "--force"])
    assert quiet.stderr == ""
    said = CliRunner().invoke(app, ["--verbose", *words, "--force"]).stderr
    for part in ("profile azure-", "fleet.csv: 116 disks", "out.txt: written", "done"):
        assert part in said
    steps = [float(s) for s in re.findall(r"^\[ *([\d.]+) s\]", said, re.M)]
    assert steps == sorted(steps)


def test_quiet_still_says_what_is_wrong(folder):
    done = CliRunner().invoke(app, ["-q", "estimate", "mistakes.csv"])
    assert done.exit_code == 2
    assert "mistakes.csv:3" in done.stderr


# --- in a shell ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "line", ["--help", "fields", "estimate fleet.csv --format json"]
)
def test_a_reader_that_has_seen_enough_is_no_error(folder, line):
    shell = f"{sys.executable} -m vmbmodel {line} | head -n 1"
    done = subprocess.run(shell, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_an_interrupt_is_130_without_traceback_or_half_a_file(folder):
    os.mkfifo("pipe.csv")
    words = ["estimate", "pipe.csv", "-o", "out.json"]
    before = sorted(folder.iterdir())
    process = subprocess.Popen(
        [sys.executable, "-m", "vmbmodel", *words], stderr=subprocess.PIPE, text=True
    )
    with open("pipe.csv", "w"):  # as soon as the command opens it
        time.sleep(0.2)  # and it reads: Python heeds no signal on its way into a read
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert sorted(folder.iterdir()) == before


def test_an_interrupt_while_the_program_loads_is_130_without_traceback(folder):
    program = (
        "import sys, vmbmodel.__main__ as main\n"
        "def interrupted(): raise KeyboardInterrupt\n"
        "main._run = interrupted\n"
        "main.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "")


def test_a_termination_is_143_and_leaves_nothing(folder):
    os.mkfifo("pipe.csv")
    words = ["estimate", "pipe.csv", "-o", "out.json"]
    before = sorted(folder.iterdir())
    process = subprocess.Popen(
        [sys.executable, "-m", "vmbmodel", *words], stderr=subprocess.PIPE, text=True
    )
    with open("pipe.csv", "w"):
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "Traceback" not in stderr
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("KeyError('x')", "a fault of this program, not of your input: KeyError: 'x'"),
        ("MemoryError()", "there is not enough memory"),
        ("OSError(12, 'Cannot allocate memory')", "there is not enough memory"),
        ("ImportError('x.so: failed to map segment')", "there is not enough memory"),
    ],
)
def test_a_fault_of_ours_is_3_and_keeps_its_trace(folder, fault, said):
    program = (
        "import sys, vmbmodel.__main__ as main, vmbmodel.plan.estimate as estimate\n"
        f"def fail(*_): raise {fault}\n"
        "estimate.estimate_disks = fail\n"
        "sys.argv[1:] = ['estimate', 'fleet.csv']\n"
        "main.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=os.environ | {"TMPDIR": str(folder)},
    )
    assert done.returncode == 3
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    if "KeyError" in fault:
        (trace,) = folder.glob("vmbmodel-*.txt")
        assert str(trace) in done.stderr
        assert "in fail" in trace.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="limits are kept by Linux")
@pytest.mark.parametrize("mib", [60, 120, 240])
def test_too_little_memory_to_load_is_said_so(folder, mib):
    code = (
        "import resource, sys, vmbmodel.__main__ as program;"
        f"resource.setrlimit(resource.RLIMIT_AS, 2 * ({mib} * 2**20,));"
        "sys.argv[1:] = ['check', 'fleet.csv']; program.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    said = "vmbmodel: there is not enough memory for this; nothing was written\n"
    assert (done.returncode, done.stdout, done.stderr) == (3, "", said)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
@pytest.mark.parametrize(
    ("words", "stream"), [(["--version"], "stdout"), (["check", "none"], "stderr")]
)
def test_what_cannot_be_printed_meets_no_gate_and_is_no_fault(folder, words, stream):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "vmbmodel", *words],
            check=False,
            text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: full},
        )
    assert done.returncode == 2
    assert "fault" not in (done.stderr or "")


def test_quiet_and_verbose_may_stand_anywhere(folder):
    for words in (["-v", "estimate", "fleet.csv"], ["estimate", "fleet.csv", "-v"]):
        done = subprocess.run(
            [sys.executable, "-m", "vmbmodel", *words],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "done" in done.stderr


@pytest.mark.slow
def test_behind_two_dashes_stand_no_options(folder):
    words = sys.executable, "-m", "vmbmodel", "profiles", "--", "-q"
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no profile '-q'" in done.stderr


def test_the_day_of_a_build_rules_every_date(folder, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")  # 2023-11-14
    done = CliRunner().invoke(app, ["report", "fleet.csv", "-o", "out"])
    assert done.exit_code == 0
    assert json.loads((folder / "out/report.json").read_text())["made"] == "2023-11-14"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    done = CliRunner().invoke(app, ["report", "fleet.csv", "-o", "again"])
    assert done.exit_code == 2
    assert "SOURCE_DATE_EPOCH must be a number of seconds" in done.stderr


@pytest.mark.parametrize("name", ["estimate", "report"])
def test_an_interrupt_while_writing_leaves_nothing(folder, monkeypatch, name):
    before = sorted(folder.iterdir())

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    done = CliRunner().invoke(app, [name, "fleet.csv", "-o", "out"])
    assert done.exit_code == 130
    assert sorted(folder.iterdir()) == before


def test_no_color_means_none_even_on_a_terminal(folder):
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "vmbmodel", "--no-such-option"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"NO_COLOR": "1", "TERM": "xterm-256color"},
        check=False,
        timeout=60,
    )
    os.close(theirs)
    assert done.returncode == 2
    printed = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "No such option" in printed
    assert "\x1b" not in printed


def test_no_progress_is_drawn_where_nobody_looks(folder):
    done = program("dispersion", "monday.csv", "tuesday.csv")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="has no such terminals")
@pytest.mark.parametrize(("after_s", "seen"), [(0, True), (60, False)])
def test_progress_is_drawn_only_of_what_takes_long(folder, after_s, seen):
    code = f"""if True:
        import sys, time
        from vmbmodel.cli import remarks
        remarks._SHOWN_AFTER_S = {after_s}
        remarks.listen(quiet=False, verbose=False)
        with remarks.progress_bar() as progress:
            progress("reading fleet.csv", 0, 0)
            time.sleep(0.3)
            for done in range(3):
                progress("estimating", done + 1, 3)
    """
    ours, theirs = os.openpty()
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    subprocess.run(
        [sys.executable, "-c", code],
        stderr=theirs,
        env=environment | {"TERM": "xterm", "COLUMNS": "80"},
        check=True,
        timeout=60,
    )
    os.write(theirs, b"end")
    drawn = ""
    while not drawn.endswith("end"):
        drawn += os.read(ours, 100_000).decode(errors="replace")
    os.close(theirs)
    os.close(ours)
    assert ("reading fleet.csv" in drawn) == seen
    assert ("estimating" in drawn and "100%" in drawn) == seen
    assert seen or drawn == "end"


# --- completion ---------------------------------------------------------------------


def completed(line):
    instruction = {"_VMBMODEL_COMPLETE": "complete_bash"}
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    code = "import sys; from vmbmodel.cli import app; sys.argv[0]='vmbmodel'; app()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | instruction | words,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout.split()


def test_commands_options_and_names_are_completed():
    assert completed("vmbmodel est") == ["estimate"]
    assert "--scenario" in completed("vmbmodel estimate --s")
    assert completed("vmbmodel estimate --profile azure-2018") == ["azure-2018-12"]
    assert "churn_frac=" in completed("vmbmodel estimate --set churn")


def test_the_script_of_completion_is_shown():
    unasked = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}  # of the caller
    shown = program("--show-completion", "bash", env=os.environ | unasked)
    assert (shown.returncode, "COMP_WORDS" in shown.stdout) == (0, True)
