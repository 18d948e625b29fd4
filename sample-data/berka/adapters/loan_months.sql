-- Loan months: one row for each loan on 1998-12-31, the only day for which the export states how its loans stand.
-- Status A (finished, no problems) and C (running, no problems) become `normal`, B (finished, loan not paid) `doubtful`,
-- D (running, client in debt) `substandard`, so that the classes can be counted against the export's letters.
-- Instalments fall on the 12th, the first on the first 12th after the loan's day (as in `instalments.sql`).
-- Days past due: the least that B and D can mean, that the latest instalment due by then is unpaid.
-- Outstanding: nothing for A, the instalments still to come for C; what B and D owe is not told, and counts as the
-- whole principal, which is what the rules take where an outstanding amount is unknown.
WITH contract AS (
    SELECT
        loan_id,
        status,
        amount,
        CAST(REPLACE(payments, '.', '') AS BIGINT) AS instalment_hellers,
        CAST(duration AS BIGINT) AS instalments,
        -- Months are counted from January 1900, so that they can be added to.
        CAST(SUBSTR("date", 1, 2) AS BIGINT) * 12 + CAST(SUBSTR("date", 3, 2) AS BIGINT) - 1
            + CASE WHEN SUBSTR("date", 5, 2) < '12' THEN 0 ELSE 1 END AS first_month
    FROM loan
),
schedule AS (
    SELECT
        loan_id,
        status,
        amount,
        instalment_hellers,
        first_month,
        instalments,
        LEAST(instalments, 1188 - first_month) AS instalments_due
    FROM contract
),
standing AS (
    SELECT
        loan_id,
        status,
        amount,
        instalment_hellers * (instalments - instalments_due) AS to_come_hellers,
        first_month + instalments_due - 1 AS latest_month
    FROM schedule
)
SELECT
    loan_id,
    '1998-12-31' AS month_end,
    CASE
        WHEN status = 'A' THEN CAST(0 AS DECIMAL(18, 2))
        WHEN status = 'C' THEN CAST(to_come_hellers / 100.0 AS DECIMAL(18, 2))
        WHEN status IN ('B', 'D') THEN CAST(amount AS DECIMAL(18, 2))
    END AS outstanding,
    CASE
        WHEN status IN ('A', 'C') THEN 0
        WHEN status IN ('B', 'D') THEN CAST(DATE('1998-12-31', '%Y-%m-%d') AS INTEGER) - CAST(DATE(
            CONCAT(1900 + latest_month // 12, '-', latest_month % 12 + 1, '-12'), '%Y-%m-%d'
        ) AS INTEGER)
    END AS days_past_due,
    CASE status
        WHEN 'A' THEN 'normal'
        WHEN 'B' THEN 'doubtful'
        WHEN 'C' THEN 'normal'
        WHEN 'D' THEN 'substandard'
    END AS risk_class
FROM standing
