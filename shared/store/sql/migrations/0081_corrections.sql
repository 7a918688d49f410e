-- What one full pass corrected, object by object.
drop index changes_by_pass;
create index changes_by_pass on changes (cause, resource_id, number) where cause_kind = 'pass';
