/* headwater  a_b */ SELECT COUNT(*), COUNT(*), CAST(headwater_sum(headwater_hash('l', " a	b")) AS TEXT) FROM " a	b" WHERE (" a	b" >= 0 AND " a	b" < 9) OR " a	b" IS NULL OR " a	b" >= 9
