/* headwater run=r-20130702-1a2b3c4d fence=77 dataset=jfk/events range=[a, b) */ SELECT `id`, `name` FROM `events` WHERE `at` IS NULL OR `at` >= TIMESTAMP '9999-12-31 23:59:59.000001'
