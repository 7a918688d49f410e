"""What osevents remembers: one implementation, PostgreSQL 14 or later through asyncpg.

`Database` owns the connections and translates the driver's errors; each other class is one table
family in the words of its user (`Timeline`, `TargetQueue`, `Inventory`, ...). The SQL stands in
`sql/*.sql`, one file a class, and `sql/migrations/`.
"""
