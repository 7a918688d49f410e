"""Which migrations are missing, and when a database is not ours to touch."""

import pytest

from shared.errors import Misconfigured
from shared.store.migrations import Migration, compare, migrations

FIRST = Migration("0001_first", "create table first ();")
SECOND = Migration("0002_second", "create table second ();")


def test_what_was_not_applied_is_missing_in_order() -> None:
    assert compare((FIRST, SECOND), {}) == [FIRST, SECOND]
    assert compare((FIRST, SECOND), {FIRST.name: FIRST.checksum}) == [SECOND]


def test_a_database_of_a_newer_version_is_refused() -> None:
    applied = {FIRST.name: FIRST.checksum, "0009_later": "abc"}

    with pytest.raises(Misconfigured, match=r"ahead of this version .*0009_later"):
        compare((FIRST,), applied)


def test_a_migration_that_was_edited_after_use_is_refused() -> None:
    with pytest.raises(Misconfigured, match="0001_first was applied with another text"):
        compare((FIRST,), {FIRST.name: SECOND.checksum})


def test_no_two_migrations_have_one_number() -> None:
    numbers = [int(migration.name.split("_")[0]) for migration in migrations()]

    assert numbers == sorted(set(numbers))
