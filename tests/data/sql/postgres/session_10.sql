SET application_name TO 'headwater'
