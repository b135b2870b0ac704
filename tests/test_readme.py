"""The README: its example runs, its commands work, its figure is today's."""

import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from vmbmodel.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = re.findall(r"^\.venv/bin/vmbmodel (.*?)(?: +#.*)?$", README, re.M)


def test_the_example_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    (example,) = re.findall(r"```python\n(.*?)```", README, re.S)
    exec(example, {})
    assert "deadline_prob" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_work(command, monkeypatch, tmp_path):
    sample = ROOT / "notebooks" / "data" / "fleet.csv"
    (tmp_path / "my-fleet.csv").write_bytes(sample.read_bytes())
    for folder in ("notebooks", "book"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, shlex.split(command))
    assert result.exit_code == 0, result.output


def test_there_are_commands():
    assert len(COMMANDS) >= 5


def test_the_figure_is_what_the_model_says_today(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(ROOT / "book")
    import readme_figure

    monkeypatch.delitem(sys.modules, "readme_figure")
    readme_figure.draw(tmp_path / "now.svg")
    assert (tmp_path / "now.svg").read_text() == readme_figure.TARGET.read_text()


def test_the_figure_shows_ten_waves(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book")
    import readme_figure

    vms = readme_figure.one_night()
    transfer_h = vms["ends"] - vms["begins"]
    # ten VMs, one after the other, at each of the hundred places of the vault
    begins = vms["begins"].to_numpy().reshape(10, 100)
    assert np.diff(begins, axis=0) == pytest.approx(transfer_h.mean(), abs=1e-5)
    assert (begins[0] < 2 * transfer_h.mean()).all()
    assert vms["ends"].max() > 7
