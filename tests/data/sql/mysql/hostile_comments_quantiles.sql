SELECT CAST(MIN(tiles.value) AS CHAR) FROM (SELECT `a /* b */ c -- d
# e` AS value, NTILE(2) OVER (ORDER BY `a /* b */ c -- d
# e`) AS tile FROM `a /* b */ c -- d
# e` WHERE `a /* b */ c -- d
# e` IS NOT NULL) AS tiles WHERE tiles.tile > 1 GROUP BY tiles.tile ORDER BY MIN(tiles.value)
