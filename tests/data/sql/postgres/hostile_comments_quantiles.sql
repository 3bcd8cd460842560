SELECT CAST(UNNEST(PERCENTILE_DISC(ARRAY[0.5]) WITHIN GROUP (ORDER BY "a /* b */ c -- d
# e")) AS text) FROM "a /* b */ c -- d
# e"
