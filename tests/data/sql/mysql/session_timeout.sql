SET SESSION /*M!100101 max_statement_time = 90.500 */ /*!50708 max_execution_time = 90500 */
