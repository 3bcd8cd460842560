SELECT CAST(PG_RELATION_SIZE(CAST('"a\b\"' AS regclass)) / CAST(CURRENT_SETTING('block_size') AS bigint) AS text)
