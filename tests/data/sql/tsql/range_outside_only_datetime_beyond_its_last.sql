/* headwater run=r-20130702-1a2b3c4d fence=77 dataset=jfk/events range=[a, b) */ SELECT [id], [name] FROM [events] WHERE [at] IS NULL OR [at] >= CAST('9999-12-31T23:59:59.997001' AS datetime2(7))
