"""What people see in SQL: views, questions, the data dictionary, their own statements."""
