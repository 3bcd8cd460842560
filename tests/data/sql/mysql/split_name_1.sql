/* headwater run=r-20130702-1a2b3c4d fence=77 dataset=jfk/events range=[a, b) */ SELECT `id`, `name` FROM `events` WHERE `name` < CONVERT(X'6261636b5c736c617368' USING utf8mb4) OR `name` IS NULL
