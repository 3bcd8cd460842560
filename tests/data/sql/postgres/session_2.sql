SET DateStyle TO 'ISO, YMD'
