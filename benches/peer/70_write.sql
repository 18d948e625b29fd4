-- The five tables as Parquet, each in the order of its key. Numbers become text only here, on the way out; the order is
-- that of the number, which is the order of the identifier.

COPY (
    SELECT
        visit_id, officer_id, grid_id, household_id, branch_id, started_at,
        is_valid(bits) AS is_valid,
        flag_list.flags
    FROM (
        SELECT visit.*, all_flags(own_flags, raised.flags) AS bits
        FROM visit LEFT JOIN raised_by_others AS raised ON raised.visit_no = visit.rowid
    )
    JOIN flag_list USING (bits)
    ORDER BY visit_id
) TO '{out}/visit_checks.parquet' (COMPRESSION zstd);

COPY (
    SELECT
        household_id, branch_id, grid_id, area_id, kind, member_count, care_category,
        f.* EXCLUDE (household_no, profiled_on)
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
