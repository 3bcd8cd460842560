/* headwater */ SELECT "id", "name" FROM "events" WHERE "day" >= DATE '2013-01-01' AND "day" < DATE '2013-02-01'
