SELECT CAST(SUM(p.row_count) AS varchar(20)) FROM sys.dm_db_partition_stats AS p WHERE p.object_id = OBJECT_ID(N'[sales].[dbo].[events]') AND p.index_id IN (0, 1)
