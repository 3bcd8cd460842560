SELECT NULL, CAST(@@GLOBAL.gtid_binlog_pos AS CHAR)
