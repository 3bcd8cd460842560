/* headwater a /_ b _/ c -- d_# e */ SELECT CAST(COUNT(*) AS text), CAST(COUNT(*) AS text), CAST(COALESCE(SUM(hash), 0) AS text) FROM (SELECT CAST(CAST('x' || SUBSTR(MD5(CONVERT_TO(COALESCE(CAST("a /* b */ c -- d
# e" AS text), '~') || ',', 'UTF8')), 1, 16) AS bit(64)) AS bigint) AS hash FROM "a /* b */ c -- d
# e" WHERE ("a /* b */ c -- d
# e" >= 0 AND "a /* b */ c -- d
# e" < 9) OR "a /* b */ c -- d
# e" IS NULL OR "a /* b */ c -- d
# e" >= 9) AS hashed
