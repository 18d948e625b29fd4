-- Monthly figures of accounts. The month stands in the name of the folder only: month=2026-06-01.
SELECT
    "账号" AS account_id,
    "month",
    "日均" AS average_balance,
    "月末" AS closing_balance,
    "转入" AS inflow,
    "转出" AS outflow,
    "笔数" AS transaction_count
FROM report
