-- Statements of tests/benchmarks/timeline.py: a timeline of a large cloud, made in the database.

-- name: classes
-- The classes: three clouds, types of every service, some with states, from frequent to very rare.
insert into event_classes (cloud, type, canonical, service, category, level, kind, state, synthetic)
select
    cloud, service || '.' || object || '.' || deed || '.' || phase,
    service || '.' || object || '.' || deed || '.' || phase,
    service, category, case when deed = 'fail' then 'critical' when phase = 'start' then 'detail'
        else 'warning' end,
    object, state, cloud = 'lab'
from (values ('prod'), ('test'), ('lab')) as clouds (cloud)
cross join (
    values
        ('compute', 'server', 'power'), ('network', 'port', 'network'),
        ('network', 'network', 'network'), ('block-storage', 'volume', 'storage'),
        ('image', 'image', 'image'), ('identity', 'project', 'identity')
) as objects (service, object, category)
cross join (
    values ('create'), ('update'), ('delete'), ('resize'), ('migrate'), ('fail')
) as deeds (deed)
cross join (values ('start'), ('end')) as phases (phase)
cross join (values ('active'), ('error'), ('building')) as states (state)
returning id, cloud;

-- name: fill
-- Events $1 to $2 of $3 in sixty days before $4, of the classes drawn in $5; every fifty-thousandth
-- is of one of all the classes $6 in turn, so that the rarest are there too.
insert into events (
    cloud, id, time, type, service, publisher, priority, flavour, category, level, action, phase,
    known, synthetic, subject_kind, subject_id, refs, name, project, user_id, request_id, host,
    state, payload, class, subjects, message, words, recorded_at
)
select
    class.cloud, md5(made.n::text)::uuid::text, made.time, class.type, class.service,
    class.service || '.' || made.host, 'info', 'legacy', class.category, class.level, 'update',
    'end', true, class.synthetic, class.kind, made.object,
    array[class.kind || '/' || made.object, 'network/' || made.network, 'port/' || made.port],
    made.name, made.project, made.user_id, 'req-' || md5((made.n / 4)::text)::uuid::text, made.host,
    nullif(class.state, ''),
    jsonb_build_object('instance_id', made.object, 'display_name', made.name, 'memory_mb', 4096,
        'launched_at', made.time, 'image', made.network, 'note', repeat('x', 200)),
    class.id, 1, made.message,
    array_to_tsvector(string_to_array(
        'vm ' || (made.vm)::text || coalesce(' no valid host was found ' || made.reason, ''), ' ')),
    made.time + interval '80 milliseconds'
from (
    select
        n,
        $4::timestamptz - interval '60 days' + interval '60 days' * (n + random()) / $3 as time,
        case when n % 50000 = 0
            then ($6::integer[])[1 + n / 50000 % array_length($6, 1)]
            else ($5::integer[])[1 + floor(random() * array_length($5, 1))::integer] end as class,
        'compute-' || floor(500 * random() ^ 2)::integer as host,
        md5('project' || floor(1000 * random() ^ 3)::integer) as project,
        md5('user' || floor(3000 * random() ^ 3)::integer) as user_id,
        md5('network' || floor(500 * random() ^ 2)::integer)::uuid::text as network,
        md5('port' || floor(200000 * random())::integer)::uuid::text as port,
        md5('server' || vm)::uuid::text as object,
        'vm-' || vm as name,
        vm,
        case when vm % 200 = 0 then 'No valid host was found: ' || reason end as message,
        case when vm % 200 = 0 then reason end as reason
    from generate_series($1::bigint, $2::bigint) as n
    cross join lateral (
        select floor(50000 * random() + 0 * n)::integer as vm, 'r' || n % 977 as reason
    ) as drawn
) as made
join event_classes as class on class.id = made.class;
