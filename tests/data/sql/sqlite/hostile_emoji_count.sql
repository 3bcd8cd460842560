/* headwater a____b */ SELECT (SELECT COUNT(*) FROM "a😀b" WHERE ("a😀b" >= 0 AND "a😀b" < 9) OR "a😀b" IS NULL OR "a😀b" >= 9), (SELECT MAX("a😀b") FROM "a😀b" WHERE "a😀b" >= 0 AND "a😀b" < 9)
