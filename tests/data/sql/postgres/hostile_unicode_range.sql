/* headwater Gr____e ___ __ */ SELECT "Größe 表 é" FROM "Größe 表 é" WHERE ("Größe 表 é" >= 0 AND "Größe 表 é" < 9) OR "Größe 表 é" IS NULL OR "Größe 表 é" >= 9
