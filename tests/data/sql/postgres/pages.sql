SELECT CAST(PG_RELATION_SIZE(CAST('"events"' AS regclass)) / CAST(CURRENT_SETTING('block_size') AS bigint) AS text)
