"""What the store keeps beside its rows, held against the rows: links, and the history."""

from shared.store.database import Database
from shared.store.inventory import Inventory
from shared.store.links import Links, told_by

_AMISS = """
with last as (
    select distinct on (kind, resource_id, field) kind, resource_id, field, change, new
    from changes
    where cloud = $1
    order by kind, resource_id, field, at desc, number desc
),
life as (
    select distinct on (kind, resource_id) kind, resource_id, change
    from changes
    where cloud = $1 and field is null
    order by kind, resource_id, at desc, number desc
)
select row.kind, row.id, last.field
from resources as row
join last on last.kind = row.kind and last.resource_id = row.id
where row.cloud = $1
    and row.deleted_at is null
    and last.field is not null
    and coalesce(row.object -> last.field, 'null') <> coalesce(last.new, 'null')
union all
select row.kind, row.id, life.change
from resources as row
left join life on life.kind = row.kind and life.resource_id = row.id
where row.cloud = $1 and coalesce(life.change <> 'deleted', false) <> (row.deleted_at is null)
"""


async def links_amiss(database: Database, cloud: str, kinds: tuple[str, ...]) -> set[object]:
    """Return the links that are kept and not told by any living row, and those not kept."""
    told = {
        (row.ref, link)
        for kind in kinds
        for row in await Inventory(database).find(kind, cloud=cloud, most=100_000)
        for link in told_by(row)
    }
    return set(told ^ await Links(database).all(cloud))


async def history_amiss(database: Database, cloud: str) -> list[tuple[str, str, str]]:
    """Return where the last change is not what the row is: kind, id, and field or last change.

    Of the living the fields count; a tombstone needs nothing but to be one, and one of what nobody
    ever saw alive has no history.
    """
    return [(row[0], row[1], row[2]) for row in await database.fetch(_AMISS, cloud)]
