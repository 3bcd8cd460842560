SELECT CASE WHEN newest <= 100000 THEN (SELECT COUNT(*) FROM "events") ELSE newest END FROM (SELECT MAX(rowid) AS newest FROM "events")
