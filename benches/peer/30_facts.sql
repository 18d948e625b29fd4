-- How each loan stood on the days that are asked for: on T, and for the indicators a year before and at the year's end.
CREATE MACRO year_start() AS date_trunc('year', as_of())::DATE - 1;

CREATE TEMP TABLE loan_latest AS
SELECT
    loan_id,
    greatest(arg_max(outstanding, month_end), 0) AS outstanding,
    greatest(arg_max(outstanding, month_end) FILTER (month_end <= months_before(12)), 0) AS outstanding_12m_ago,
    greatest(arg_max(outstanding, month_end) FILTER (month_end <= year_start()), 0) AS outstanding_at_year_start,
    arg_max(days_past_due, month_end) AS days_past_due,
    arg_max(risk_class, month_end) AS risk_class,
    max(list_position(['normal', 'special_mention', 'substandard', 'doubtful', 'loss'], risk_class) - 1)
        FILTER (in_window(12, month_end)) AS worst_class
FROM loan_months
WHERE is_known(month_end)
GROUP BY loan_id;

-- What is measured of each household. Every log is filtered to its window while it is read, joined to the household's
-- number once, and summed to one row per household; the facts are one chain of joins over dense integers.

CREATE TEMP TABLE household_fact AS
WITH
profile AS (
    SELECT household_no, p.*
    FROM profiles AS p JOIN household USING (household_id)
    WHERE is_known(profiled_on) AND is_known(recorded_at)
    QUALIFY row_number() OVER (PARTITION BY household_no
                               ORDER BY profiled_on DESC, recorded_at DESC, profile_id DESC) = 1
),
loan AS (
    SELECT
        loan_id,
        household_no,
        principal,
        guarantee,
        disbursed_on,
        CASE WHEN has_ended(closed_on) THEN closed_on END AS closed_on
    FROM loans JOIN household USING (household_id)
    WHERE is_known(disbursed_on)
),
of_loans AS (
    SELECT
        household_no,
        sum(coalesce(outstanding, principal)) FILTER (closed_on IS NULL) AS outstanding,
        sum(coalesce(outstanding, principal)) FILTER (closed_on IS NULL AND guarantee = 'credit') AS unsecured,
        sum(outstanding) FILTER (closed_on IS NULL AND risk_class IN ('substandard', 'doubtful', 'loss')) AS bad,
        max(coalesce(days_past_due, 0)) FILTER (closed_on IS NULL) AS days_past_due,
        max(worst_class) AS worst_class,
        min(disbursed_on) AS first_loan_on
    FROM loan LEFT JOIN loan_latest USING (loan_id)
    GROUP BY household_no
),
of_instalments AS (
    SELECT
        household_no,
        count(*) FILTER (fell_due) AS due,
        count(*) FILTER (fell_due AND paid_on <= due_on) AS on_time,
        -- While unpaid, a delay runs to T or to the day the loan was closed.
        max(greatest(0, coalesce(paid_on, closed_on, as_of()) - due_on)) FILTER (fell_due) AS delay_days,
        sum(due_amount) FILTER (closed_on IS NULL AND paid_on IS NULL
                                AND due_on > as_of() AND due_on <= months_after(12)) AS still_to_pay
    FROM (
        SELECT
            household_no,
            due_on,
            due_amount,
            closed_on,
            CASE WHEN has_ended(paid_on) THEN paid_on END AS paid_on,
            in_window(24, due_on) AND (closed_on IS NULL OR due_on <= closed_on) AS fell_due
        FROM instalments JOIN loan USING (loan_id)
        WHERE due_on > months_before(24) AND due_on <= months_after(12)
    )
    GROUP BY household_no
),
outside AS (
    SELECT household_no, d.*
    FROM outside_debts AS d JOIN household USING (household_id)
    WHERE in_window(12, reported_on)
    QUALIFY row_number() OVER (PARTITION BY household_no ORDER BY reported_on DESC) = 1
),
account AS (
    SELECT account_id, household_no, opened_on, NOT has_ended(closed_on) AS is_open, product, has_mobile, has_pos
    FROM accounts JOIN household USING (household_id)
    WHERE is_known(opened_on)
),
of_accounts AS (
    SELECT
        household_no,
        min(opened_on) AS first_opened_on,
        bool_or(is_open) AS has_open_account,
        bool_or(is_open AND has_mobile)::BIGINT + bool_or(is_open AND has_pos)::BIGINT
            + bool_or(is_open AND product = 'card')::BIGINT AS channels
    FROM account
    GROUP BY household_no
),
of_account_months AS (
    SELECT
        household_no,
        sum(average_balance) AS balance,
        -- Inflow is never negative, so the accounts together have some when one has. Twelve months in a row have twelve
        -- names: a bit for each counts them without a set.
        bit_count(bit_or(CASE WHEN inflow > 0 THEN 1 << month(month) ELSE 0 END)) AS inflow_months,
        bool_or(transaction_count > 0) AS has_transactions
    FROM account_months JOIN account USING (account_id)
    -- M(12): a month is complete when its last day is not after T.
    WHERE month >= date_trunc('month', as_of() + 1) - to_months(12) AND month < date_trunc('month', as_of() + 1)
    GROUP BY household_no
),
of_conduct AS (
    SELECT household_no, sum(points) AS points, count(*) FILTER (is_veto) AS vetoes
    FROM conduct_events JOIN household USING (household_id)
    WHERE status = 'posted' AND in_window(12, status_on)
    GROUP BY household_no
),
latest_review AS (
    SELECT
        household_no,
        max({'reviewed_on': reviewed_on, 'knows': knows_household, 'score': score, 'is_veto': is_veto}) AS r
    FROM peer_reviews JOIN household USING (household_id)
    WHERE in_window(24, reviewed_on)
    GROUP BY household_no, reviewer_id
),
of_reviews AS (
    SELECT household_no, count(r.score) AS reviews, sum(r.score) AS score, count(*) FILTER (r.is_veto) AS vetoes
    FROM latest_review
    WHERE r.knows
    GROUP BY household_no
),
of_visits AS (
    SELECT household_no, sum(valid_visits_12m)::BIGINT AS valid_visits, max(last_valid_at)::DATE AS last_on
    FROM visit_tally
    WHERE household_no IS NOT NULL
    GROUP BY household_no
),
joined AS (
    SELECT
        h.household_no,
        member_count,
        if(getvariable('has.instalments'), coalesce(due, 0), NULL) AS instalments_due_24m,
        on_time,
        delay_days,
        coalesce(of_loans.outstanding, 0)::DECIMAL(18, 2) AS own_outstanding,
        coalesce(unsecured, 0)::DECIMAL(18, 2) AS own_unsecured_outstanding,
        coalesce(bad, 0)::DECIMAL(18, 2) AS own_bad_outstanding,
        of_loans.days_past_due AS days_past_due_now,
        worst_class::BIGINT AS risk_class_worst_12m,
        outside.outstanding AS outside_outstanding,
        guarantee_outstanding AS outside_guarantees,
        overdue_count_24m AS outside_overdue_count_24m,
        monthly_payment AS outside_monthly_payment,
        (annual_income - annual_operating_cost)::DECIMAL(18, 2) AS net_income,
        (coalesce(still_to_pay, 0) + 12 * coalesce(monthly_payment, 0))::DECIMAL(18, 2) AS debt_service_12m,
        labour_count,
        CASE WHEN of_accounts.household_no IS NOT NULL THEN coalesce(inflow_months, 0)::BIGINT END AS inflow_months_12m,
        (total_assets - total_liabilities)::DECIMAL(18, 2) AS net_assets,
        total_assets,
        total_liabilities,
        CASE WHEN of_accounts.household_no IS NOT NULL
             THEN money(divided_down(cents(coalesce(balance, 0)), 12)) END AS deposit_average_12m,
        whole_months_since(first_opened_on) AS relationship_months,
        channels AS channel_count,
        of_conduct.points::DECIMAL(8, 1) AS conduct_points_12m,
        if(getvariable('has.conduct_events'), coalesce(of_conduct.vetoes, 0), NULL) AS conduct_vetoes_12m,
        if(getvariable('has.peer_reviews'), coalesce(reviews, 0), NULL) AS peer_review_count,
        of_reviews.score AS review_score,
        if(getvariable('has.peer_reviews'), coalesce(of_reviews.vetoes, 0), NULL) AS peer_vetoes,
        profiled_on,
        CASE WHEN profiled_on IS NOT NULL THEN
            (labour_count IS NOT NULL)::INTEGER + (annual_income IS NOT NULL)::INTEGER
            + (annual_operating_cost IS NOT NULL)::INTEGER + (total_assets IS NOT NULL)::INTEGER
            + (total_liabilities IS NOT NULL)::INTEGER + (land_mu IS NOT NULL)::INTEGER
            + (dwelling IS NOT NULL)::INTEGER + (main_activity IS NOT NULL)::INTEGER
            + (has_insurance IS NOT NULL)::INTEGER
        END AS fields_filled,
        coalesce(valid_visits, 0) AS valid_visits_12m,
        as_of() - last_on AS days_since_valid_visit,
        coalesce(has_open_account, false) AS has_open_account,
        coalesce(has_transactions, false) AS has_transactions,
        first_loan_on
    FROM household AS h
    LEFT JOIN profile USING (household_no)
    LEFT JOIN of_loans USING (household_no)
    LEFT JOIN of_instalments USING (household_no)
    LEFT JOIN outside USING (household_no)
    LEFT JOIN of_accounts USING (household_no)
    LEFT JOIN of_account_months USING (household_no)
    LEFT JOIN of_conduct USING (household_no)
    LEFT JOIN of_reviews USING (household_no)
    LEFT JOIN of_visits USING (household_no)
)
-- A share or a mean is a float, made by one division of whole numbers at the end.
SELECT
    household_no,
    instalments_due_24m,
    CASE WHEN instalments_due_24m > 0 THEN on_time / instalments_due_24m END AS on_time_share_24m,
    delay_days AS delay_days_max_24m,
    own_outstanding,
    own_unsecured_outstanding,
    own_bad_outstanding,
    days_past_due_now,
    risk_class_worst_12m,
    outside_outstanding,
    outside_guarantees,
    outside_overdue_count_24m,
    outside_monthly_payment,
    net_income,
    money(divided_down(cents(net_income), member_count)) AS net_income_per_member,
    debt_service_12m,
    CASE WHEN net_income > 0 THEN cents(debt_service_12m) / cents(net_income) END AS debt_service_share,
    CASE WHEN labour_count IS NOT NULL THEN least(labour_count, member_count) / member_count END AS labour_share,
    inflow_months_12m,
    net_assets,
    CASE WHEN total_assets > 0 THEN cents(total_liabilities) / cents(total_assets) END AS debt_to_assets,
    deposit_average_12m,
    relationship_months,
    channel_count,
    conduct_points_12m,
    (conduct_points_12m * 10)::BIGINT / (member_count * 10) AS conduct_points_per_member_12m,
    conduct_vetoes_12m,
    peer_review_count,
    CASE WHEN peer_review_count >= getvariable('fact_rules.peer_reviews_min')
         THEN (review_score * 10)::BIGINT / (peer_review_count * 10) END AS peer_score,
    peer_vetoes,
    as_of() - profiled_on AS profile_age_days,
    fields_filled / 9 AS profile_completeness,
    valid_visits_12m,
    days_since_valid_visit,
    -- Not facts of the table, but measured beside them.
    profiled_on,
    has_open_account,
    has_transactions,
    first_loan_on
FROM joined;
