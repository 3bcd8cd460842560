/* headwater a____b */ SELECT [a😀b] FROM [a😀b] WHERE ([a😀b] >= CAST(0 AS bigint) AND [a😀b] < CAST(9 AS bigint)) OR [a😀b] IS NULL OR [a😀b] >= CAST(9 AS bigint)
