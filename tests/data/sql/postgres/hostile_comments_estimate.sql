SELECT CAST(CASE WHEN MIN(c.reltuples) < 0 THEN -1 ELSE CAST(SUM(c.reltuples) AS bigint) END AS text) FROM pg_class AS c WHERE c.relkind <> 'p' AND c.oid IN (SELECT relid FROM pg_partition_tree(CAST('"a /* b */ c -- d
# e"' AS regclass)) UNION SELECT CAST('"a /* b */ c -- d
# e"' AS regclass))
