/* headwater x _/ DROP TABLE events_ /_ -- _ ___ __ _/ */ SELECT `id`, `name` FROM `events` WHERE `day` >= DATE '2013-01-01' AND `day` < DATE '2013-02-01'
