SELECT CAST(PG_RELATION_SIZE(CAST('"a; DROP TABLE events; --"' AS regclass)) / CAST(CURRENT_SETTING('block_size') AS bigint) AS text)
