/* headwater a /_ b _/ c -- d_# e */ SELECT CAST(COUNT(*) AS CHAR), CAST(COUNT(hashed.hash) AS CHAR), CAST(COALESCE(SUM(hashed.hash), 0) AS CHAR) FROM (SELECT CAST(CONV(SUBSTR(MD5(CONVERT(CONCAT(COALESCE(CAST(`a /* b */ c -- d
# e` AS CHAR), '~'), ',') USING utf8mb4)), 1, 16), 16, 10) AS UNSIGNED) AS hash FROM `a /* b */ c -- d
# e` WHERE (`a /* b */ c -- d
# e` >= 0 AND `a /* b */ c -- d
# e` < 9) OR `a /* b */ c -- d
# e` IS NULL OR `a /* b */ c -- d
# e` >= 9) AS hashed
