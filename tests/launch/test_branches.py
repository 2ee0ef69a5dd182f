"""Branches have a floor of their own: many covered lines do not hide what was never tried."""

import subprocess
import sys

import pytest

from launch import branches


@pytest.mark.parametrize(
    ("totals", "share"),
    [
        ({"covered_branches": 9, "num_branches": 10}, 0.9),
        ({"covered_branches": 0, "num_branches": 0}, 0.0),
    ],
)
def test_the_share_is_of_branches_alone(totals, share):
    assert branches.share_taken(totals) == share


@pytest.mark.parametrize(("tries", "code"), [((1, -1), 0), ((1,), 1)])
def test_a_run_that_took_half_the_branches_fails(tmp_path, monkeypatch, capsys, tries, code):
    source = tmp_path / "half.py"
    source.write_text("def sign(x):\n    if x > 0:\n        return 1\n    return -1\n")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".coveragerc").write_text("[run]\nbranch = true\ninclude = half.py\n")
    script = tmp_path / "try_it.py"
    script.write_text("import half\n" + "".join(f"half.sign({x})\n" for x in tries))
    subprocess.run([sys.executable, "-m", "coverage", "run", str(script)], check=True)

    assert branches.main() == code
    assert "branches taken" in capsys.readouterr().out
