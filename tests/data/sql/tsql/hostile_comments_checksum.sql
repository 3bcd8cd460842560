/* headwater a /_ b _/ c -- d_# e */ SELECT CAST(COUNT_BIG(*) AS varchar(20)), CAST(COUNT_BIG(hashed.hash) AS varchar(20)), CAST(COALESCE(SUM(CAST(hashed.hash AS decimal(38, 0))), 0) AS varchar(40)) FROM (SELECT CAST(SUBSTRING(HASHBYTES('MD5', CAST('' AS varchar(max)) + COALESCE(CONVERT(varchar(20), [a /* b */ c -- d
# e]), '~') + ','), 1, 8) AS bigint) AS hash FROM [a /* b */ c -- d
# e] WHERE ([a /* b */ c -- d
# e] >= CAST(0 AS bigint) AND [a /* b */ c -- d
# e] < CAST(9 AS bigint)) OR [a /* b */ c -- d
# e] IS NULL OR [a /* b */ c -- d
# e] >= CAST(9 AS bigint)) AS hashed
