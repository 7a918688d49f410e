"""docs/reference/metrics.md names every metric with its labels, and no other."""

import re
from pathlib import Path

from tests.support.metrics import served

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([\w, -]+) \|", re.MULTILINE)


def test_the_page_lists_every_metric_with_its_kind_and_labels_and_no_other() -> None:
    listed = {name: (kind, labels) for name, kind, labels in ROW.findall(PAGE.read_text())}

    assert listed == {
        name: (kind, ", ".join(labels) or "-") for name, (kind, labels) in served().items()
    }
