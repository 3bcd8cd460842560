SELECT set_config('jit', 'off', false) FROM pg_settings WHERE name = 'jit'
