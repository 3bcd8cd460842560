/* headwater run=r-20130702-1a2b3c4d fence=77 dataset=jfk/events range=[a, b) */ SELECT "id", "name" FROM "events" WHERE "name" COLLATE BINARY >= 'it''s' AND "name" COLLATE BINARY < '表; --'
