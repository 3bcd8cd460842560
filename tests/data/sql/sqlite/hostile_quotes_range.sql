/* headwater a_b_c_d__e */ SELECT "a""b'c`d""""e" FROM "a""b'c`d""""e" WHERE ("a""b'c`d""""e" >= 0 AND "a""b'c`d""""e" < 9) OR "a""b'c`d""""e" IS NULL OR "a""b'c`d""""e" >= 9
