-- The tables as Parquet, each in the order of its key. Numbers become text only here, on the way out; the order is
-- that of the number, which is the order of the identifier.

COPY (
    SELECT
        visit_id, officer_id, grid_id, household_id, grid.branch_id, started_at,
        is_valid(bits) AS is_valid,
        flag_list.flags
    FROM checked_visit
    JOIN grid USING (grid_no)
    JOIN officer USING (officer_no)
    JOIN flag_list USING (bits)
    ORDER BY visit_id
) TO '{out}/visit_checks.parquet' (COMPRESSION zstd);

COPY (
    SELECT
        household_id, branch_id, grid_id, area_id, kind, member_count, care_category,
        f.* EXCLUDE (household_no, profiled_on, has_open_account, has_transactions, first_loan_on)
    FROM household_fact AS f JOIN household AS h USING (household_no)
    ORDER BY household_no
) TO '{out}/household_facts.parquet' (COMPRESSION zstd);

COPY (
    SELECT
        household_id, scorecard_id, block, fact AS characteristic,
        value, points, max_points, value IS NULL AS is_missing
    FROM household_point
    JOIN (SELECT household_no, household_id FROM household) USING (household_no)
    JOIN policy_characteristic USING (characteristic_no)
    ORDER BY household_no, characteristic
) TO '{out}/scorecard_points.parquet' (COMPRESSION zstd);

COPY (
    SELECT
        household_id, branch_id, grid_id, area_id, kind, scorecard_id,
        score::DECIMAL(5, 1) AS score, model_grade, vetoes, reasons,
        false AS grade_kept, NULL::VARCHAR AS previous_grade, 'new' AS change,
        final_grade, decision_id, decision, credit_list, notice_consent, list_reason,
        profiled_on + getvariable('fact_rules.profile_days_max') AS profile_valid_until
    FROM household
    JOIN model USING (household_no)
    JOIN final USING (household_no)
    JOIN household_fact USING (household_no)
    ORDER BY household_no
) TO '{out}/household_grades.parquet' (COMPRESSION zstd);

COPY (
    SELECT
        household_id, model_grade, cap_grade, cap_product, cap_income, cap_net_assets, cap_service,
        gross::DECIMAL(18, 2) AS gross, own_unsecured_outstanding, outside_outstanding, guarantees_weighted,
        deductions::DECIMAL(18, 2) AS deductions, suggested_limit, false AS limit_held,
        coalesce(binding, CASE WHEN vetoes <> [] THEN 'veto' ELSE 'not_rateable' END) AS binding,
        NULL::DECIMAL(18, 2) AS previous_limit, final_grade, final_limit, rate_spread_bp, term_months
    FROM household
    JOIN model USING (household_no)
    JOIN (FROM limit_for WHERE is_model) USING (household_no)
    JOIN final USING (household_no)
    ORDER BY household_no
) TO '{out}/grant_limits.parquet' (COMPRESSION zstd);

COPY (
    SELECT
        grid_id, grid.branch_id, area_id, grid.kind, primary_officer_id, programme_year,
        grid_coverage.* EXCLUDE (grid_no),
        visits_12m, valid_visits_12m, valid_visits_1m, patrol_met, issues_raised_12m,
        issues_resolved_in_grid, issues_resolved_in_community, issues_resolved_in_township,
        issues_raised_12m - issues_resolved AS issues_open, urgent_open
    FROM grid
    JOIN grid_staff USING (grid_no)
    JOIN grid_visits USING (grid_no)
    JOIN grid_coverage USING (grid_no)
    ORDER BY grid_no
) TO '{out}/grid_coverage.parquet' (COMPRESSION zstd);

COPY (
    SELECT ref_id AS branch_id, segment, grids, coverage.* EXCLUDE (place_no, segment)
    FROM coverage JOIN place USING (place_no) JOIN place_grids USING (place_no)
    WHERE kind = 'branch'
    ORDER BY branch_id, segment
) TO '{out}/branch_coverage.parquet' (COMPRESSION zstd);

COPY (
    SELECT ref_id AS area_id, segment, coalesce(grids, 0) AS grids, coverage.* EXCLUDE (place_no, segment)
    FROM coverage JOIN place USING (place_no) LEFT JOIN place_grids USING (place_no)
    WHERE kind = 'area'
    ORDER BY area_id, segment
) TO '{out}/area_coverage.parquet' (COMPRESSION zstd);

COPY (FROM partition_fault ORDER BY fault, subject_id) TO '{out}/partition_faults.parquet' (COMPRESSION zstd);

COPY (
    SELECT
        officer_id, branch_id, grids, households,
        (visiting * 0.1)::DECIMAL(5, 1) AS visiting_points,
        (filing * 0.1)::DECIMAL(5, 1) AS filing_points,
        (truthfulness * 0.1)::DECIMAL(5, 1) AS truthfulness_points,
        (issues * 0.1)::DECIMAL(5, 1) AS issue_points,
        (score * 0.1)::DECIMAL(5, 1) AS score,
        rating,
        CASE WHEN is_vetoed THEN 'visits_not_credible' END AS veto,
        onsite_visits_12m, invalid_visits_12m
    FROM officer_assessment JOIN officer USING (officer_no)
    ORDER BY officer_no
) TO '{out}/officer_assessments.parquet' (COMPRESSION zstd);

COPY (
    SELECT
        area_id, level, households, credit_households, share_of(credit_households, households) AS credit_share,
        borrowers, prompt_borrowers, share_of(prompt_borrowers, borrowers) AS prompt_share,
        outstanding, bad_outstanding, share_of(cents(bad_outstanding), cents(outstanding)) AS bad_share,
        starred_below, stars, is_credit_area
    FROM area_rating
    WHERE households > 0
    ORDER BY area_id
) TO '{out}/village_ratings.parquet' (COMPRESSION zstd);

-- Ratios of small whole numbers are equal as floats only where they are equal: their order is exact.
COPY (
    SELECT
        area_id, household_id, h.member_count, conduct_points_12m AS points_12m,
        conduct_points_per_member_12m AS points_per_member,
        CASE WHEN vetoes = [] THEN
            row_number() OVER (PARTITION BY area_id, vetoes = [] ORDER BY points_per_member DESC, household_no)
        END AS rank,
        coalesce(rank <= getvariable('conduct.honoured_max') AND points_12m > 0, false) AS is_honoured,
        vetoes
    FROM household AS h JOIN household_fact USING (household_no) JOIN model USING (household_no)
    WHERE in_valid_grid AND conduct_points_12m IS NOT NULL
    ORDER BY household_no
) TO '{out}/conduct_ranking.parquet' (COMPRESSION zstd);

COPY (
    WITH funded AS (
        SELECT area_id, sum(households)::BIGINT AS households, sum(coalesce(rate, 0) * households) AS service_fund
        FROM grid JOIN grid_coverage USING (grid_no) LEFT JOIN policy_service_rate USING (settlement)
        GROUP BY area_id
    )
    SELECT
        area_id, households, b.amount AS work_fund, service_fund::DECIMAL(18, 2) AS service_fund
    FROM funded ASOF JOIN policy_work_fund AS b ON funded.households <= b.households_max
    WHERE households > 0
    ORDER BY area_id
) TO '{out}/grid_funding.parquet' (COMPRESSION zstd);

COPY (
    SELECT
        officer_id, household_id, household.branch_id, household.grid_id, area_id, duty,
        reasons[1].due_on AS due_on,
        list_transform(reasons, lambda reason: reason.reason) AS reasons,
        list_transform(reasons, lambda reason: reason.due_on::VARCHAR) AS reason_due_on,
        last_valid_visit_on, profile_valid_until
    FROM work JOIN household USING (household_no) JOIN officer USING (officer_no)
    ORDER BY officer_no, household_no
) TO '{out}/work_list.parquet' (COMPRESSION zstd);

COPY (
    WITH noticed AS (
        SELECT area_id, household_no, household_id, final_grade
        FROM household JOIN final USING (household_no)
        WHERE credit_list = 'white' AND notice_consent AND decision IN ('accept', 'adjust')
          AND getvariable('conduct.notice_days') > 0
    )
    SELECT
        area_id, household_id,
        left(trim(head_name), 1) || repeat('＊', greatest(length(trim(head_name)) - 1, 1)) AS masked_name,
        final_grade, as_of() AS notice_from, as_of() + getvariable('conduct.notice_days') AS notice_until
    FROM noticed JOIN households USING (household_id)
    WHERE valid_from <= as_of() AND NOT has_ended(valid_to)
    ORDER BY area_id, household_no
) TO '{out}/public_notice.parquet' (COMPRESSION zstd);

-- What disclosure decides, the status and the published value, is not made.
COPY (
    FROM indicator_row ORDER BY indicator_id, level, ref_id, breakdown
) TO '{out}/indicators.parquet' (COMPRESSION zstd);
