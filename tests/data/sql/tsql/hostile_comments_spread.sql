SELECT CONVERT(nvarchar(4000), value, 126), CAST(CAST(range_rows AS bigint) AS varchar(20)), CAST(CAST(equal_rows AS bigint) AS varchar(20)) FROM (SELECT CAST(h.range_high_key AS bigint) AS value, h.range_rows, h.equal_rows FROM sys.columns AS c CROSS APPLY sys.dm_db_stats_histogram(c.object_id, (SELECT MIN(s.stats_id) FROM sys.stats_columns AS s WHERE s.object_id = c.object_id AND s.column_id = c.column_id AND s.stats_column_id = 1)) AS h WHERE c.object_id = OBJECT_ID(N'[a /* b */ c -- d
# e]') AND c.name = N'a /* b */ c -- d
# e') AS steps WHERE value IS NOT NULL ORDER BY value
