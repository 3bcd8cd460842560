/* headwater run=r-20130702-1a2b3c4d fence=77 dataset=jfk/events range=[a, b) */ SELECT [id], [name] FROM [events] WHERE [amount] < CAST(-1.50 AS decimal(18, 2)) OR [amount] IS NULL
