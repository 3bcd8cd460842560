SET statement_timeout TO 90500
