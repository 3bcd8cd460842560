/* headwater */ SELECT [id], [name] FROM [events] WHERE [day] >= CAST('2013-01-01' AS date) AND [day] < CAST('2013-02-01' AS date)
