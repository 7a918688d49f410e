-- What notifications tell of an object goes into its row, field by field, without any read.

alter table resources
-- When the latest notification that described the object was sent; null when none did.
add column told_at timestamptz,
-- Field -> [revision or null, time in microseconds since 1970]: the fields of `object` that a
-- notification newer than the latest read told, and of which version; null when none is.
add column told jsonb;
