/* headwater a /_ b _/ c -- d_# e */ SELECT (SELECT COUNT_BIG(*) FROM [a /* b */ c -- d
# e] WHERE ([a /* b */ c -- d
# e] >= CAST(0 AS bigint) AND [a /* b */ c -- d
# e] < CAST(9 AS bigint)) OR [a /* b */ c -- d
# e] IS NULL OR [a /* b */ c -- d
# e] >= CAST(9 AS bigint)), (SELECT CONVERT(nvarchar(4000), MAX([a /* b */ c -- d
# e]), 126) FROM [a /* b */ c -- d
# e] WHERE [a /* b */ c -- d
# e] >= CAST(0 AS bigint) AND [a /* b */ c -- d
# e] < CAST(9 AS bigint))
