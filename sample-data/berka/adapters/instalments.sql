-- Instalments: only those of which the export can tell whether they were paid. They are those due in months that the
-- transactions cover whole (paid when the account shows the payment, `UVER`, in that month), and those due after
-- 1998-12-31, the end of the export, which are all still to come. The years between are left out: an instalment
-- without its payment would read as unpaid.
-- The schedule is not in the export: one instalment on each 12th, the first on the first 12th after the loan's day.
-- Every loan payment among the transactions falls on such a day, with the loan's instalment give or take its rounding.
WITH contract AS (
    SELECT
        loan_id,
        account_id,
        CAST(payments AS DECIMAL(18, 2)) AS due_amount,
        CAST(duration AS BIGINT) AS instalments,
        -- Months are counted from January 1900, so that they can be added to.
        CAST(SUBSTR("date", 1, 2) AS BIGINT) * 12 + CAST(SUBSTR("date", 3, 2) AS BIGINT) - 1
            + CASE WHEN SUBSTR("date", 5, 2) < '12' THEN 0 ELSE 1 END AS first_month
    FROM loan
),
schedule AS (
    SELECT
        contract.loan_id,
        contract.account_id,
        contract.due_amount,
        contract.first_month + years.number * 12 + months.number AS due_month
    FROM contract
    CROSS JOIN UNNEST([0, 1, 2, 3, 4]) AS years (number)
    CROSS JOIN UNNEST([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) AS months (number)
    WHERE years.number * 12 + months.number < contract.instalments
),
-- The month in which the transactions end is taken as cut short, unless all 1,056,320 of them are there.
coverage AS (
    SELECT
        CASE
            WHEN COUNT(*) = 1056320 THEN 1188
            ELSE MAX(CAST(SUBSTR("date", 1, 2) AS BIGINT) * 12 + CAST(SUBSTR("date", 3, 2) AS BIGINT) - 1)
        END AS first_uncovered_month
    FROM trans
),
payment AS (
    SELECT
        account_id,
        CAST(SUBSTR("date", 1, 2) AS BIGINT) * 12 + CAST(SUBSTR("date", 3, 2) AS BIGINT) - 1 AS paid_month,
        MIN(DATE("date", '%y%m%d')) AS paid_on,
        CAST(SUM(CAST(amount AS DECIMAL(18, 2))) AS DECIMAL(18, 2)) AS paid_amount
    FROM trans
    WHERE k_symbol = 'UVER'
    GROUP BY account_id, paid_month
)
SELECT
    schedule.loan_id,
    DATE(CONCAT(1900 + schedule.due_month // 12, '-', schedule.due_month % 12 + 1, '-12'), '%Y-%m-%d') AS due_on,
    schedule.due_amount,
    COALESCE(payment.paid_amount, CAST(0 AS DECIMAL(18, 2))) AS paid_amount,
    payment.paid_on
FROM schedule
CROSS JOIN coverage
LEFT JOIN payment
    ON payment.account_id = schedule.account_id AND payment.paid_month = schedule.due_month
WHERE schedule.due_month < coverage.first_uncovered_month OR schedule.due_month >= 1188
