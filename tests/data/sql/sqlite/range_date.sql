/* headwater run=r-20130702-1a2b3c4d fence=77 dataset=jfk/events range=[a, b) */ SELECT "id", "name" FROM "events" WHERE "day" >= '2013-01-01' AND "day" < '2013-02-01'
