/* headwater a /_ b _/ c -- d_# e */ SELECT CAST(COUNT_BIG(*) AS varchar(20)), CAST(COUNT_BIG(*) AS varchar(20)), CAST(COALESCE(CHECKSUM_AGG(BINARY_CHECKSUM([a /* b */ c -- d
# e])), 0) AS varchar(20)) FROM [a /* b */ c -- d
# e] WHERE ([a /* b */ c -- d
# e] >= CAST(0 AS bigint) AND [a /* b */ c -- d
# e] < CAST(9 AS bigint)) OR [a /* b */ c -- d
# e] IS NULL OR [a /* b */ c -- d
# e] >= CAST(9 AS bigint)
