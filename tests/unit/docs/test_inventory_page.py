"""docs/reference/inventory.md and the latest migration are what the description of views makes."""

from importlib.resources import files
from pathlib import Path

from shared.resource import Kind
from shared.store.views import described, markdown, views_sql

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "inventory.md"
MARK = "<!-- generated: the columns and links, by shared/store/views.py -->\n"


def test_every_kind_has_a_view() -> None:
    assert set(described()) == set(Kind)


def test_the_readme_counts_the_kinds_rightly() -> None:
    assert f"inventory** of {len(Kind)} kinds" in (ROOT / "README.md").read_text()


def test_the_page_shows_the_columns_and_links_as_they_are() -> None:
    _, _, generated = PAGE.read_text().partition(MARK)
    assert generated.strip() == markdown().strip()


def test_the_page_names_every_kind_with_its_id_before_the_tables() -> None:
    written, _, _ = PAGE.read_text().partition(MARK)
    assert [kind for kind in Kind if f"| {kind} |" not in written] == []


def test_the_latest_migration_of_views_makes_what_is_described() -> None:
    folder = files("shared.store") / "sql" / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if "_inventory_views" in entry.name)
    assert (folder / names[-1]).read_text().endswith(views_sql())
