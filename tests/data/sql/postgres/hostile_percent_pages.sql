SELECT CAST(PG_RELATION_SIZE(CAST('"%s {x} ?1 :n $1 @v"' AS regclass)) / CAST(CURRENT_SETTING('block_size') AS bigint) AS text)
