-- Account months, from the transactions: a row for each account and each month, from the month it was opened to the
-- last month that the transactions cover whole; a month without a transaction has one too.
-- The printed balances close day by day, but the order of entries inside a day is lost. So the balance at the end of a
-- day is the printed one that fits the sum of all entries up to that day (to within rounding: the bank booked more
-- digits than it printed), whichever entry carries it.
-- `average_balance` is the mean over the month's calendar days of the balance at the end of the day, rounded down to the
-- heller; days before the first entry count 0. PRIJEM flows in, everything else out; interest and fees are flows too.
WITH entry AS (
    SELECT
        account_id,
        SUBSTR("date", 1, 4) AS month_key,
        "date" AS day_key,
        "type" = 'PRIJEM' AS is_inflow,
        CAST(REPLACE(amount, '.', '') AS BIGINT) AS hellers,
        CAST(REPLACE(balance, '.', '') AS BIGINT) AS balance_hellers
    FROM trans
),
day_total AS (
    SELECT account_id, day_key, SUM(CASE WHEN is_inflow THEN hellers ELSE -hellers END) AS hellers
    FROM entry
    GROUP BY account_id, day_key
),
day_ledger AS (
    SELECT account_id, day_key, SUM(hellers) OVER (PARTITION BY account_id ORDER BY day_key) AS ledger_hellers
    FROM day_total
),
candidate AS (
    SELECT
        entry.account_id,
        entry.month_key,
        entry.day_key,
        entry.balance_hellers,
        ABS(entry.balance_hellers - day_ledger.ledger_hellers) AS misfit_hellers
    FROM entry
    JOIN day_ledger ON day_ledger.account_id = entry.account_id AND day_ledger.day_key = entry.day_key
),
ranked AS (
    SELECT
        account_id,
        month_key,
        day_key,
        balance_hellers,
        ROW_NUMBER() OVER (PARTITION BY account_id, day_key ORDER BY misfit_hellers, balance_hellers) AS place
    FROM candidate
),
-- How far the balance moved from one day's end to the next: summed, it gives back every printed balance.
day_step AS (
    SELECT
        account_id,
        month_key,
        CAST(SUBSTR(day_key, 5, 2) AS BIGINT) AS day_number,
        balance_hellers - COALESCE(LAG(balance_hellers) OVER (PARTITION BY account_id ORDER BY day_key), 0) AS step_hellers
    FROM ranked
    WHERE place = 1
),
-- The month in which the transactions end is taken as cut short, unless all 1,056,320 of them are there.
coverage AS (
    SELECT CASE WHEN COUNT(*) = 1056320 THEN '9901' ELSE MAX(month_key) END AS first_uncovered_key
    FROM entry
),
month AS (
    SELECT DISTINCT
        entry.month_key,
        DATE(entry.month_key || '01', '%y%m%d') AS month,
        CAST(DATE(entry.month_key || '01', '%y%m%d') + INTERVAL '1 month' AS INTEGER)
            - CAST(DATE(entry.month_key || '01', '%y%m%d') AS INTEGER) AS days
    FROM entry
    CROSS JOIN coverage
    WHERE entry.month_key < coverage.first_uncovered_key
),
month_step AS (
    SELECT
        day_step.account_id,
        day_step.month_key,
        SUM(day_step.step_hellers) AS step_hellers,
        SUM(day_step.step_hellers * (month.days - day_step.day_number + 1)) AS step_heller_days
    FROM day_step
    JOIN month ON month.month_key = day_step.month_key
    GROUP BY day_step.account_id, day_step.month_key
),
month_flow AS (
    SELECT
        account_id,
        month_key,
        SUM(CASE WHEN is_inflow THEN hellers ELSE 0 END) AS inflow_hellers,
        SUM(CASE WHEN is_inflow THEN 0 ELSE hellers END) AS outflow_hellers,
        COUNT(*) AS transaction_count
    FROM entry
    GROUP BY account_id, month_key
),
account_month AS (
    SELECT
        account.account_id,
        month.month_key,
        month.month,
        month.days,
        COALESCE(month_step.step_hellers, 0) AS step_hellers,
        COALESCE(month_step.step_heller_days, 0) AS step_heller_days,
        COALESCE(month_flow.inflow_hellers, 0) AS inflow_hellers,
        COALESCE(month_flow.outflow_hellers, 0) AS outflow_hellers,
        COALESCE(month_flow.transaction_count, 0) AS transaction_count
    FROM account
    CROSS JOIN month
    LEFT JOIN month_step ON month_step.account_id = account.account_id AND month_step.month_key = month.month_key
    LEFT JOIN month_flow ON month_flow.account_id = account.account_id AND month_flow.month_key = month.month_key
    WHERE month.month_key >= SUBSTR(account."date", 1, 4)
),
closed AS (
    SELECT
        account_id,
        month,
        days,
        step_hellers,
        step_heller_days,
        inflow_hellers,
        outflow_hellers,
        transaction_count,
        SUM(step_hellers) OVER (PARTITION BY account_id ORDER BY month_key) AS closing_hellers
    FROM account_month
)
SELECT
    account_id,
    month,
    CAST(((closing_hellers - step_hellers) * days + step_heller_days) // days / 100.0 AS DECIMAL(18, 2)) AS average_balance,
    CAST(closing_hellers / 100.0 AS DECIMAL(18, 2)) AS closing_balance,
    CAST(inflow_hellers / 100.0 AS DECIMAL(18, 2)) AS inflow,
    CAST(outflow_hellers / 100.0 AS DECIMAL(18, 2)) AS outflow,
    transaction_count
FROM closed
