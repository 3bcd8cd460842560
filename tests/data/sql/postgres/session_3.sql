SET IntervalStyle TO 'iso_8601'
