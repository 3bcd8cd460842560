/* headwater probe */ SELECT NULL, NULL, (SELECT COUNT_BIG(*) FROM [events] WHERE [day] IS NULL), 0
