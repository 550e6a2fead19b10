"""What is said of the paper's tables is one thing in the program, the report and the notes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bokeh_core.training import ablation

ROOT = Path(__file__).parents[3]
PAIR = r"(\.\d{3}) ?/ ?(\.\d{3})"


def pairs(text):
    return [(float(loss), float(accuracy)) for loss, accuracy in re.findall(PAIR, text)]


def test_the_report_prints_the_programs_figures():
    report = (ROOT / "docs" / "reports" / "paper.md").read_text()
    rows = [pairs(line) for line in report.splitlines() if len(pairs(line)) == 2]
    assert tuple(row[0] for row in rows) == ablation.PAPER["portrait"]
    assert tuple(row[1] for row in rows) == ablation.PAPER["depth"]


@pytest.mark.parametrize("task", ["portrait", "depth"])
def test_every_committed_ablation_prints_them(task):
    known = {
        row.name: [f"{figure:.3f}" for figure in row.paper]
        for row in ablation.variants(task, pretrained=False, width=4)
        if row.paper is not None
    }
    checked = 0
    for path in (ROOT / "docs" / "reports").glob(f"ablation-{task}*.md"):
        table = path.read_text().partition("| variant | paper: loss")[2].partition("Confusion")[0]
        for line in table.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if cells[0] in known:
                assert cells[1:3] == known[cells[0]], path.name
                checked += 1
    assert checked >= 5


def test_the_notes_on_the_paper_say_the_same():
    notes = ROOT.parent / "shared" / "design" / "models-and-data.md"
    if not notes.exists():
        pytest.skip("the notes on the paper are not beside this checkout")
    text = notes.read_text()
    found = pairs(text[text.index("test loss / accuracy") :])[:10]
    assert tuple(found[:5]) == ablation.PAPER["portrait"]
    assert tuple(found[5:]) == ablation.PAPER["depth"]
