SET bytea_output TO 'hex'
