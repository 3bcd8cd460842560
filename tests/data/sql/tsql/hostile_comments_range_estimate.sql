SELECT CAST(CAST(SUM(steps.row_count) AS bigint) AS varchar(20)) FROM (SELECT CAST(h.range_high_key AS bigint) AS value, h.range_rows + h.equal_rows AS row_count FROM sys.columns AS c CROSS APPLY sys.dm_db_stats_histogram(c.object_id, (SELECT MIN(s.stats_id) FROM sys.stats_columns AS s WHERE s.object_id = c.object_id AND s.column_id = c.column_id AND s.stats_column_id = 1)) AS h WHERE c.object_id = OBJECT_ID(N'[a /* b */ c -- d
# e]') AND c.name = N'a /* b */ c -- d
# e') AS steps WHERE value >= CAST(0 AS bigint) AND value < CAST(9 AS bigint)
