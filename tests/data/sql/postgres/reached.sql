SELECT (SELECT system_identifier FROM pg_control_system())::text, CASE WHEN pg_last_wal_replay_lsn() >= CAST('0/1' AS pg_lsn) THEN '1' WHEN pg_sleep(0.05) IS NULL THEN NULL ELSE '0' END
