SELECT CASE WHEN newest <= 100000 THEN (SELECT COUNT(*) FROM "%s {x} ?1 :n $1 @v") ELSE newest END FROM (SELECT MAX(rowid) AS newest FROM "%s {x} ?1 :n $1 @v")
