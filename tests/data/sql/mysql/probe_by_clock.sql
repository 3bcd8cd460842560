/* headwater probe */ SELECT NULL, NULL, (SELECT COUNT(*) FROM `events` WHERE `day` IS NULL), 0
