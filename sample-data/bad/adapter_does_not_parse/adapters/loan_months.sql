-- Month ends of loans from the core system's export: risk classes by their numbers.
SELEC
    loan_no AS loan_id,
    day AS month_end,
    balance AS outstanding,
    overdue_days AS days_past_due,
    CASE class WHEN '1' THEN 'normal' WHEN '2' THEN 'special_mention' WHEN '3' THEN 'substandard' ELSE class END AS risk_class
FROM month
