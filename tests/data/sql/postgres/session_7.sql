SET default_transaction_isolation TO 'repeatable read'
