/* headwater run=r-20130702-1a2b3c4d fence=77 dataset=jfk/events range=[a, b) */ SELECT COUNT(*), COUNT(*), CAST(headwater_sum(headwater_hash('x', "payload")) AS TEXT) FROM "events"
