SELECT CAST(PG_RELATION_SIZE(CAST('"Größe 表 é"' AS regclass)) / CAST(CURRENT_SETTING('block_size') AS bigint) AS text)
