-- Limits, decisions, and what holds in the end. Money is exact: products are decimals, each cap is rounded once at its
-- end. `least` passes over nulls, which is what the smallest known cap asks for.

-- Which decision is in force is settled first, because an adjustment may ask for the limit of another grade. Known and
-- unexpired ones of households of the run are looked at.
CREATE TEMP TABLE checked_decision AS
SELECT
    household_no,
    decision_id,
    decided_at,
    action,
    d.grade,
    "limit",
    -- Every ground on which a decision is set aside, denied. Blank text is none.
    (action = 'accept' OR (approver_id IS NOT NULL AND trim(coalesce(reason, '')) <> ''))
    AND coalesce(approver_id <> reviewer_id, true)
    AND (d.grade IS NULL OR g.grade IS NOT NULL)
    AND CASE action
          WHEN 'accept' THEN g.grade IS NOT NULL AND NOT g.is_veto AND "limit" IS NOT NULL
          WHEN 'adjust' THEN
              g.grade IS NOT NULL
              AND coalesce("limit" <= least(g.cap, getvariable('limits.product_cap')), true)
              AND are_overridable
              AND list_has_all(string_split(coalesce(overrides, ''), '|'), vetoes)
          ELSE true
        END AS is_sound
FROM decisions AS d
JOIN household USING (household_id)
JOIN model USING (household_no)
LEFT JOIN policy_grade AS g ON g.grade = d.grade
WHERE is_known(decided_at) AND NOT has_ended(expires_on);

CREATE TEMP TABLE decision AS
SELECT household_no, decision_id, action, grade, "limit"
FROM checked_decision
WHERE is_sound
QUALIFY row_number() OVER (PARTITION BY household_no ORDER BY decided_at DESC, decision_id DESC) = 1;

-- The limit for the model's grade, and for a grade that was given without a limit.
CREATE TEMP TABLE limit_for AS
WITH
wanted AS (
    SELECT household_no, model_grade AS grade, true AS is_model FROM model
    UNION ALL
    SELECT household_no, grade, false FROM decision WHERE action = 'adjust' AND "limit" IS NULL
),
capped AS (
    SELECT
        household_no,
        is_model,
        coalesce(NOT g.is_veto, false) AS is_graded,
        CASE WHEN is_graded THEN g.cap END AS cap_grade,
        CASE WHEN is_graded THEN getvariable('limits.product_cap')::DECIMAL(18, 2) END AS cap_product,
        -- Null for the veto grade, which has no multiples, and for NR, which is not on the scale.
        money_down(g.income_multiple * income) AS cap_income,
        money_down(g.net_asset_ratio * CASE WHEN net_assets < 0 THEN 0 ELSE net_assets END) AS cap_net_assets,
        money(floor(hundredfold(CASE WHEN spare < 0 THEN 0 ELSE spare END * g.annuity))::HUGEINT // 12) AS cap_service,
        own_unsecured_outstanding,
        coalesce(outside_outstanding, 0)::DECIMAL(18, 2) AS outside_outstanding,
        money_up(getvariable('limits.outside_weight')::DECIMAL(19, 9) * coalesce(outside_outstanding, 0)) AS outside_weighted,
        money_up(getvariable('limits.guarantee_weight')::DECIMAL(19, 9) * coalesce(outside_guarantees, 0)) AS guarantees_weighted
    FROM (
        SELECT
            *,
            CASE WHEN net_income < 0 THEN 0 ELSE net_income END::DECIMAL(18, 2) AS income,
            getvariable('limits.service_share')::DECIMAL(19, 9) * income - debt_service_12m AS spare
        FROM wanted JOIN household_fact USING (household_no)
    )
    LEFT JOIN policy_grade AS g USING (grade)
),
deducted AS (
    SELECT
        *,
        CASE
            WHEN NOT is_graded THEN NULL
            WHEN cap_income IS NULL AND NOT list_contains(getvariable('limits.optional_caps'), 'cap_income')
                THEN 'cap_income'
            WHEN cap_net_assets IS NULL AND NOT list_contains(getvariable('limits.optional_caps'), 'cap_net_assets')
                THEN 'cap_net_assets'
            WHEN cap_service IS NULL AND NOT list_contains(getvariable('limits.optional_caps'), 'cap_service')
                THEN 'cap_service'
        END AS unknown_cap,
        CASE WHEN is_graded AND unknown_cap IS NULL
             THEN least(cap_grade, cap_product, cap_income, cap_net_assets, cap_service) ELSE 0 END AS gross,
        CASE WHEN is_graded THEN own_unsecured_outstanding + outside_weighted + guarantees_weighted
             ELSE 0 END AS deductions
    FROM capped
),
stepped AS (
    SELECT
        *,
        in_steps(gross - deductions) AS suggested_limit,
        in_steps(gross) AS undeducted
    FROM deducted
)
SELECT
    *,
    CASE
        WHEN NOT is_graded THEN NULL
        WHEN unknown_cap IS NOT NULL THEN unknown_cap || '_unknown'
        WHEN undeducted > suggested_limit THEN 'deductions'
        WHEN gross = cap_grade THEN 'cap_grade'
        WHEN gross = cap_product THEN 'cap_product'
        WHEN gross = cap_income THEN 'cap_income'
        WHEN gross = cap_net_assets THEN 'cap_net_assets'
        ELSE 'cap_service'
    END AS binding
FROM stepped;

CREATE TEMP TABLE final AS
WITH decided AS (
    SELECT
        m.household_no,
        decision_id,
        coalesce(action, 'none') AS decision,
        CASE
            WHEN action = 'adjust' THEN d.grade
            WHEN action = 'accept' AND given.rank > coalesce(rated.rank, 'infinity'::DOUBLE) THEN d.grade
            ELSE model_grade
        END AS final_grade,
        "limit",
        suggested_limit,
        vetoes <> [] AND NOT (decision = 'adjust' AND NOT given.is_veto) AS is_vetoed
    FROM model AS m
    JOIN limit_for AS l ON l.household_no = m.household_no AND l.is_model
    LEFT JOIN decision AS d ON d.household_no = m.household_no
    LEFT JOIN policy_grade AS given ON given.grade = d.grade
    LEFT JOIN policy_grade AS rated ON rated.grade = model_grade
),
limited AS (
    SELECT
        decided.*,
        CASE decision
            WHEN 'none' THEN decided.suggested_limit
            -- What was accepted, never more than the rules allow tonight.
            WHEN 'accept' THEN least("limit", decided.suggested_limit, coalesce(g.cap, 0))
            WHEN 'adjust' THEN coalesce("limit", recomputed.suggested_limit)
            ELSE 0
        END::DECIMAL(18, 2) AS final_limit,
        g.spread_bp AS rate_spread_bp,
        CASE WHEN g.spread_bp IS NOT NULL THEN getvariable('limits.term_months')::BIGINT END AS term_months
    FROM decided
    LEFT JOIN policy_grade AS g ON g.grade = final_grade
    LEFT JOIN limit_for AS recomputed
        ON recomputed.household_no = decided.household_no AND NOT recomputed.is_model
)
SELECT
    household_no,
    decision_id,
    decision,
    final_grade,
    final_limit,
    rate_spread_bp,
    term_months,
    CASE
        WHEN is_vetoed THEN 'vetoed'
        WHEN final_grade = 'NR' THEN 'not_rateable'
        WHEN decision = 'decline' THEN 'declined'
        WHEN decision = 'suspend' THEN 'suspended'
        WHEN final_limit = 0 THEN 'no_limit'
        WHEN profile_age_days IS NULL OR profile_age_days > getvariable('fact_rules.fresh_days') THEN 'stale_profile'
        WHEN valid_visits_12m = 0 THEN 'unvisited'
        ELSE 'ok'
    END AS list_reason,
    CASE list_reason WHEN 'vetoed' THEN 'black' WHEN 'ok' THEN 'white' ELSE 'grey' END AS credit_list
FROM limited JOIN household_fact USING (household_no);
