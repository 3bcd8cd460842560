/* headwater run=r-20130702-1a2b3c4d fence=77 dataset=jfk/events range=[a, b) */ SELECT [id], [name] FROM [events] WHERE [at] >= CAST('1753-01-01T00:00:00' AS datetime)
