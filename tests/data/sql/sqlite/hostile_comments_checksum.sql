/* headwater a /_ b _/ c -- d_# e */ SELECT COUNT(*), COUNT(*), CAST(headwater_sum(headwater_hash('l', "a /* b */ c -- d
# e")) AS TEXT) FROM "a /* b */ c -- d
# e" WHERE ("a /* b */ c -- d
# e" >= 0 AND "a /* b */ c -- d
# e" < 9) OR "a /* b */ c -- d
# e" IS NULL OR "a /* b */ c -- d
# e" >= 9
