SELECT CASE WHEN newest <= 100000 THEN (SELECT COUNT(*) FROM "Größe 表 é") ELSE newest END FROM (SELECT MAX(rowid) AS newest FROM "Größe 表 é")
