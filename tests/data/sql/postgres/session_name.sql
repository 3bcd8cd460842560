SET application_name TO 'headwater r-20130702-1a2b3c4d fence=77 jfk/events [a, b)'
