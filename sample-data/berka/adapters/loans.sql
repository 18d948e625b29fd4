-- Loans: all 682, at the branch of their account and under its owner. Status A, "contract finished, no problems",
-- is closed on its last day; B, "finished, loan not paid", C and D (running, without and with debt) stay open.
-- The term is a number of months. The amount is the term times the instalment in every loan, so the export shows no
-- interest: the rate is 0. Purpose and guarantee are not told: `other`, and `credit`, the one that a limit has to bear.
WITH contract AS (
    SELECT
        loan.loan_id,
        loan.account_id,
        loan.amount,
        loan.duration,
        loan.status,
        DATE(loan."date", '%y%m%d') AS disbursed_on
    FROM loan
),
term AS (
    SELECT
        loan_id,
        account_id,
        amount,
        status,
        disbursed_on,
        CASE duration
            WHEN '12' THEN disbursed_on + INTERVAL '12 months'
            WHEN '24' THEN disbursed_on + INTERVAL '24 months'
            WHEN '36' THEN disbursed_on + INTERVAL '36 months'
            WHEN '48' THEN disbursed_on + INTERVAL '48 months'
            WHEN '60' THEN disbursed_on + INTERVAL '60 months'
        END AS matures_on
    FROM contract
)
SELECT
    term.loan_id,
    disp.client_id AS household_id,
    'branch-' || LPAD(account.district_id, 2, '0') AS branch_id,
    'resident' AS borrower_kind,
    'other' AS purpose,
    FALSE AS is_agricultural,
    'credit' AS guarantee,
    term.amount AS credit_line,
    term.amount AS principal,
    '0' AS annual_rate,
    term.disbursed_on,
    term.matures_on,
    CASE WHEN term.status = 'A' THEN term.matures_on END AS closed_on
FROM term
JOIN account ON account.account_id = term.account_id
JOIN disp ON disp.account_id = term.account_id
WHERE disp."type" = 'OWNER'
