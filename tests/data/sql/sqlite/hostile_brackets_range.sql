/* headwater a]b[c]]d */ SELECT "a]b[c]]d" FROM "a]b[c]]d" WHERE ("a]b[c]]d" >= 0 AND "a]b[c]]d" < 9) OR "a]b[c]]d" IS NULL OR "a]b[c]]d" >= 9
