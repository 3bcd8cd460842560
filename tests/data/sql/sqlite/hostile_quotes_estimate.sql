SELECT CASE WHEN newest <= 100000 THEN (SELECT COUNT(*) FROM "a""b'c`d""""e") ELSE newest END FROM (SELECT MAX(rowid) AS newest FROM "a""b'c`d""""e")
