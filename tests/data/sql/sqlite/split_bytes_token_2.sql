/* headwater run=r-20130702-1a2b3c4d fence=77 dataset=jfk/events range=[a, b) */ SELECT "id", "name" FROM "events" WHERE CAST("token" AS TEXT) COLLATE BINARY >= 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'
