SELECT (SELECT system_identifier FROM pg_control_system())::text, pg_current_wal_insert_lsn()::text
