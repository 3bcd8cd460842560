/* headwater */ SELECT "id", "name" FROM "events" WHERE "day" >= '2013-01-01' AND "day" < '2013-02-01'
