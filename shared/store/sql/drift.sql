-- Statements of shared/store/drift.py.

-- name: of_pass
-- What one full pass corrected so far, by what became of the objects and by field.
select change, field, count(*) as count
from changes
where cause_kind = 'pass' and cause = $1
group by change, field
order by change, field;
