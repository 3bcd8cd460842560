/* headwater a /_ b _/ c -- d_# e */ SELECT [a /* b */ c -- d
# e] FROM [a /* b */ c -- d
# e] WHERE ([a /* b */ c -- d
# e] >= CAST(0 AS bigint) AND [a /* b */ c -- d
# e] < CAST(9 AS bigint)) OR [a /* b */ c -- d
# e] IS NULL OR [a /* b */ c -- d
# e] >= CAST(9 AS bigint)
