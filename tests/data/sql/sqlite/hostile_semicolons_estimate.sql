SELECT CASE WHEN newest <= 100000 THEN (SELECT COUNT(*) FROM "a; DROP TABLE events; --") ELSE newest END FROM (SELECT MAX(rowid) AS newest FROM "a; DROP TABLE events; --")
