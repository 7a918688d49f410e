-- A dead letter knows when it died first and how often, and whether somebody wants it sent back.

alter table dead_letters
    add column first_at timestamptz,
    -- How often it was tried and failed, all its deaths together.
    add column tries integer not null default 1,
    -- When it is to be sent back to where it died, as somebody asked; null when nobody did. While a
    -- copy is at it, when others may take it over.
    add column return_at timestamptz,
    -- When it was sent back. It stays for a while, so that its history goes on if it dies again.
    add column returned_at timestamptz;

-- The digest used to cover the reason and the time, too; now one message is one letter, whenever
-- and of whatever it dies again.
create temporary table merged on commit drop as
select
    max(number) as number,
    min(at) as first_at,
    count(*) as tries,
    sha256(
        convert_to(origin, 'UTF8') || '\x1f'::bytea || convert_to(coalesce(cloud, ''), 'UTF8')
        || '\x1f'::bytea || body
    ) as digest
from dead_letters
group by 4;

delete from dead_letters where number not in (select number from merged);

update dead_letters
set digest = merged.digest, first_at = merged.first_at, tries = merged.tries
from merged
where merged.number = dead_letters.number;

alter table dead_letters alter column first_at set not null;

-- What somebody wants sent back.
create index dead_letters_by_return on dead_letters (return_at) where return_at is not null;
