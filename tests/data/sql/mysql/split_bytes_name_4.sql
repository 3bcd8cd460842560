/* headwater run=r-20130702-1a2b3c4d fence=77 dataset=jfk/events range=[a, b) */ SELECT `id`, `name` FROM `events` WHERE CAST(CONVERT(`name` USING utf8mb4) AS BINARY) >= X'e8a1a83b202d2d'
