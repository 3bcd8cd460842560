/* headwater a____b */ SELECT (SELECT COUNT(*) FROM "a😀b" WHERE ("a😀b" >= 0 AND "a😀b" < 9) OR "a😀b" IS NULL OR "a😀b" >= 9), (SELECT CAST(MAX("a😀b") AS text) FROM "a😀b" WHERE "a😀b" >= 0 AND "a😀b" < 9)
