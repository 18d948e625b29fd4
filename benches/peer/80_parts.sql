-- The base tables of indicators, with the columns of their contracts, and beside them the branch and the area where a
-- row counts; it counts in the bank in any case. What the catalogue asks of them is made by indicators.py.

CREATE MACRO is_open_on(opened_on, closed_on, day) AS opened_on <= day AND NOT coalesce(closed_on <= day, false);

-- A loan of a household in the grids counts where the household does, any other where it is booked.
CREATE TEMP TABLE loan AS
SELECT
    loan_id,
    borrower_kind,
    purpose,
    guarantee,
    is_agricultural,
    household_no,
    household_no IS NOT NULL AS in_grid,
    principal,
    credit_line,
    annual_rate,
    NOT has_ended(closed_on) AS is_open,
    is_open_on(disbursed_on, closed_on, months_before(12)) AS was_open_12m_ago,
    is_open_on(disbursed_on, closed_on, year_start()) AS was_open_at_year_start,
    CASE WHEN is_open THEN coalesce(l.outstanding, principal) ELSE 0 END::DECIMAL(18, 2) AS outstanding,
    CASE WHEN was_open_12m_ago THEN coalesce(l.outstanding_12m_ago, principal)
         ELSE 0 END::DECIMAL(18, 2) AS outstanding_12m_ago,
    CASE WHEN was_open_at_year_start THEN coalesce(l.outstanding_at_year_start, principal)
         ELSE 0 END::DECIMAL(18, 2) AS outstanding_at_year_start,
    CASE WHEN is_open THEN l.risk_class END AS risk_class,
    CASE WHEN is_open THEN l.days_past_due END AS days_past_due,
    disbursed_on > year_start() AS disbursed_this_year,
    in_window(12, disbursed_on) AS disbursed_in_12m,
    coalesce(h.branch_no, b.branch_no) AS branch_no,
    area_no
FROM loans
JOIN branch AS b USING (branch_id)
LEFT JOIN (
    SELECT household_id, household_no, branch_no, area_no FROM household JOIN grid USING (grid_no) WHERE in_valid_grid
) AS h USING (household_id)
LEFT JOIN loan_latest AS l USING (loan_id)
WHERE is_known(disbursed_on);

CREATE TEMP VIEW base_loans AS
WITH line AS (
    SELECT
        household_no,
        coalesce(sum(credit_line) FILTER (is_open), 0) AS customer_line,
        coalesce(sum(credit_line) FILTER (was_open_12m_ago), 0) AS customer_line_12m_ago,
        coalesce(sum(credit_line) FILTER (was_open_at_year_start), 0) AS customer_line_at_year_start
    FROM loan
    WHERE in_grid
    GROUP BY household_no
)
SELECT
    loan.*,
    -- Exact: cents times millionths.
    principal::DECIMAL(30, 2) * annual_rate AS annual_interest,
    -- The customer is the household or, outside the grids, the loan.
    coalesce(household_no, -loan.rowid - 1) AS customer,
    CASE WHEN in_grid THEN customer_line WHEN is_open THEN credit_line ELSE 0 END AS customer_line,
    CASE WHEN in_grid THEN customer_line_12m_ago WHEN was_open_12m_ago THEN credit_line
         ELSE 0 END AS customer_line_12m_ago,
    CASE WHEN in_grid THEN customer_line_at_year_start WHEN was_open_at_year_start THEN credit_line
         ELSE 0 END AS customer_line_at_year_start
FROM loan LEFT JOIN line USING (household_no);

-- Where the nearest open service point is. What is nearest by chord is nearest by arc, so points are compared on the
-- unit sphere, and one distance a household is computed. Households of one grid live close together: with all of them within
-- r of a centre, the nearest point of any of them is at most 2 r farther from it than the point nearest to the centre.
CREATE MACRO on_sphere(longitude, latitude) AS {
    'x': cos(radians(latitude)) * cos(radians(longitude)),
    'y': cos(radians(latitude)) * sin(radians(longitude)),
    'z': sin(radians(latitude))
};
CREATE MACRO chord(a, b) AS sqrt(pow(a.x - b.x, 2) + pow(a.y - b.y, 2) + pow(a.z - b.z, 2));

CREATE TEMP TABLE point AS
SELECT row_number() OVER ()::INTEGER AS point_no, longitude, latitude, on_sphere(longitude, latitude) AS spot
FROM service_points
WHERE is_known(opened_on) AND NOT has_ended(closed_on) AND longitude IS NOT NULL;

CREATE TEMP TABLE nearest AS
WITH
home AS (
    SELECT household_no, grid_no, longitude, latitude, on_sphere(longitude, latitude) AS spot
    FROM household
    WHERE longitude IS NOT NULL AND in_valid_grid
),
centre AS (
    SELECT grid_no, {'x': avg(spot.x), 'y': avg(spot.y), 'z': avg(spot.z)} AS spot FROM home GROUP BY grid_no
),
around AS (
    SELECT grid_no, any_value(centre.spot) AS spot, max(chord(home.spot, centre.spot)) AS radius
    FROM home JOIN centre USING (grid_no)
    GROUP BY grid_no
),
bound AS (
    -- A billionth, some millimetres, for the rounding of floats.
    SELECT grid_no, any_value(around.spot) AS spot,
           min(chord(around.spot, point.spot)) + 2 * any_value(radius) + 1e-9 AS farthest
    FROM around CROSS JOIN point
    GROUP BY grid_no
),
candidate AS (
    SELECT grid_no, point_no, point.spot FROM bound JOIN point ON chord(bound.spot, point.spot) <= farthest
),
found AS (
    SELECT household_no, any_value(home.longitude) AS longitude, any_value(home.latitude) AS latitude,
           arg_min(point_no, chord(home.spot, candidate.spot)) AS point_no
    FROM home JOIN candidate USING (grid_no)
    GROUP BY household_no
)
SELECT household_no, distance_m(found.longitude, found.latitude, point.longitude, point.latitude) AS nearest_point_m
FROM found JOIN point USING (point_no);

CREATE TEMP VIEW base_households AS
SELECT
    household_id,
    household.kind,
    segment,
    household.member_count,
    care_category,
    model_grade,
    final_grade,
    credit_list,
    vetoes <> [] AS has_veto,
    suggested_limit,
    final_limit,
    care_household, profiled, profiled_fresh, graded, white, suggested, granted, drawn, borrowing, with_account,
    active_account, visited_12m, care_visited_3m,
    coalesce(in_window(12, first_loan_on), false) AS first_loan_in_12m,
    household.longitude IS NOT NULL AS has_position,
    nearest_point_m,
    f.* EXCLUDE (household_no, profiled_on, has_open_account, has_transactions, first_loan_on),
    branch_no,
    area_no
FROM standing
JOIN household USING (household_no)
JOIN grid ON grid.grid_no = standing.grid_no
JOIN household_fact AS f USING (household_no)
JOIN model USING (household_no)
JOIN final USING (household_no)
JOIN (SELECT household_no, suggested_limit FROM limit_for WHERE is_model) USING (household_no)
LEFT JOIN nearest USING (household_no);

CREATE TEMP VIEW base_grids AS
SELECT
    grid_id, kind, settlement, programme_year, primaries, backups,
    grid_coverage.* EXCLUDE (grid_no),
    grid_visits.* EXCLUDE (grid_no, onsite_visits_12m, invalid_visits_12m, issues_resolved),
    issues_raised_12m - issues_resolved AS issues_open,
    branch_no, area_no
FROM grid
JOIN grid_coverage USING (grid_no)
JOIN grid_visits USING (grid_no)
JOIN grid_staff USING (grid_no);

-- A few hundred rows, and read once for each own figure.
CREATE TEMP TABLE base_areas AS
WITH
lying AS (
    SELECT area_no, count(*) AS valid_grids, sum(households)::BIGINT AS households
    FROM grid JOIN grid_coverage USING (grid_no)
    GROUP BY area_no
),
standing_branches AS (
    SELECT area_id, count(*) AS open_branches
    FROM branches
    WHERE is_open_on(opened_on, closed_on, as_of())
    GROUP BY area_id
),
points AS (
    SELECT
        area_id,
        count(*) AS open_points,
        count(*) FILTER (kind = 'withdrawal_point' AND in_window(3, last_used_on)) AS used_withdrawal_points_3m
    FROM service_points
    WHERE is_open_on(opened_on, closed_on, as_of())
    GROUP BY area_id
)
SELECT
    areas.area_id, areas.level, is_rural, population, adult_population, household_count, land_km2,
    coalesce(valid_grids, 0) AS valid_grids,
    coalesce(lying.households, 0) AS households,
    coalesce(lying.households, 0) >= getvariable('credit_villages.households_min') AS has_households_min,
    CASE WHEN r.households > 0 THEN stars END AS stars,
    coalesce(r.households > 0 AND stars >= 1, false) AS is_credit_area,
    coalesce(open_branches, 0) AS open_branches,
    coalesce(open_points, 0) AS open_points,
    coalesce(used_withdrawal_points_3m, 0) AS used_withdrawal_points_3m,
    NULL::INTEGER AS branch_no, area_no, areas.parent_area_id IS NULL AS is_top
FROM areas
JOIN area USING (area_id)
JOIN area_rating AS r USING (area_id)
LEFT JOIN lying USING (area_no)
LEFT JOIN standing_branches USING (area_id)
LEFT JOIN points USING (area_id);

CREATE TEMP VIEW base_branches AS
SELECT
    branch_id, level, is_open_on(opened_on, closed_on, as_of()) AS is_open,
    NULL::INTEGER AS branch_no, area_no
FROM branches JOIN area USING (area_id);

CREATE TEMP VIEW base_service_points AS
SELECT
    point_id, kind, NOT has_ended(closed_on) AS is_open,
    coalesce(in_window(3, last_used_on), false) AS used_3m,
    station_items,
    longitude IS NOT NULL AS has_position,
    branch_no, area_no
FROM service_points JOIN area USING (area_id) JOIN branch USING (branch_id)
WHERE is_known(opened_on);

-- Without the words of the log that no definition reads.
CREATE TEMP VIEW base_visits AS
SELECT
    visit_id,
    is_onsite,
    is_valid(bits) AS is_valid,
    v.household_id IS NOT NULL AS has_household,
    in_window(3, started_at) AS in_3m,
    in_window(1, started_at) AS in_1m,
    issue <> issue('none') AS has_issue,
    issue BETWEEN issue('resolved_in_grid') AND issue('resolved_in_township') AS issue_resolved,
    issue = issue('resolved_in_grid') AS resolved_in_grid,
    issue = issue('resolved_in_community') AS resolved_in_community,
    issue = issue('resolved_in_township') AS resolved_in_township,
    record_delay_us / 3600000000 AS record_delay_hours,
    v.branch_no, area_no
FROM checked_visit AS v JOIN grid USING (grid_no)
WHERE in_window(12, started_at);

-- What has rows: the bank, branches with a valid grid or an open loan that counts there, every area.
CREATE TEMP TABLE node AS
SELECT place_no, level, ref_id
FROM place
WHERE kind IN ('bank', 'area')
   OR (kind = 'branch' AND (place_no IN (SELECT branch_no FROM grid WHERE is_valid)
                            OR place_no IN (SELECT branch_no FROM loan WHERE is_open)));

SET VARIABLE bank_no = (SELECT place_no FROM place WHERE kind = 'bank');
SET VARIABLE first_programme_year = (
    SELECT CASE WHEN min(joined_on) <= as_of() THEN whole_months_since(min(joined_on)) // 12 + 1 ELSE 0 END FROM grids
);

-- Rows that stand at their branch and area, at every place where they count.
CREATE MACRO at_every_place(counted) AS TABLE
    SELECT getvariable('bank_no') AS place_no, * EXCLUDE (branch_no, area_no) FROM query_table(counted)
    UNION ALL
    SELECT branch_no, * EXCLUDE (branch_no, area_no) FROM query_table(counted) WHERE branch_no IS NOT NULL
    UNION ALL
    SELECT above_no, * EXCLUDE (branch_no, area_no, above_no) FROM query_table(counted) JOIN area_above USING (area_no);

-- Exact to the last bit: whole numbers in lowest terms, as text, for a cast of more than 64 bits rounds twice.
CREATE MACRO as_float(whole) AS whole::VARCHAR::DOUBLE;
CREATE MACRO quotient(a, b) AS
    CASE WHEN b <> 0 THEN as_float(a // gcd(a, b)) / as_float(b // gcd(a, b)) END;
CREATE MACRO power_of_ten(digits) AS pow(10, digits)::HUGEINT;
-- Units of 10^-scale, rounded half up to four digits.
CREATE MACRO four_digits(units, scale) AS
    (CASE WHEN scale <= 4 THEN units * power_of_ten(4 - scale)
          ELSE divided_down(units + power_of_ten(scale - 4) // 2, power_of_ten(scale - 4)) END::DECIMAL(30, 0)
     * 0.0001)::DECIMAL(24, 4);

-- By part, place and segment (or `all`), in whole units of the part's last digit.
CREATE TEMP TABLE part_value (part_no INTEGER, place_no INTEGER, segment VARCHAR, units HUGEINT);
-- By indicator and place: of how many values, and the statistic of them.
CREATE TEMP TABLE statistic (indicator_no INTEGER, place_no INTEGER, values_counted BIGINT, value DOUBLE);

-- Inequality over the values of `observed`, in whole units. Zeros are most of them and add nothing but their number, so
-- that only the others are put in order; a value's place counts the zeros below it too.
CREATE MACRO placed_values(counted) AS TABLE
    SELECT place_no, (value * getvariable('units_of_value'))::BIGINT AS value FROM at_every_place(counted);
CREATE MACRO gini_of(counted) AS TABLE
    WITH place_total AS (
        SELECT place_no, count(*) AS values_counted, count(*) FILTER (value = 0) AS zeros, sum(value) AS total
        FROM placed_values(counted) GROUP BY place_no
    ),
    ranked AS (
        SELECT place_no, value, row_number() OVER (PARTITION BY place_no ORDER BY value) AS rank
        FROM placed_values(counted) WHERE value <> 0
    ),
    weighted AS (
        SELECT place_no,
               sum((2 * (rank + CASE WHEN value > 0 THEN zeros ELSE 0 END) - values_counted - 1) * value) AS sum
        FROM ranked JOIN place_total USING (place_no) GROUP BY place_no
    )
    SELECT place_no, values_counted,
           CASE WHEN total > 0 THEN as_float(sum) / as_float(values_counted::HUGEINT * total) END AS gini
    FROM place_total LEFT JOIN weighted USING (place_no);
CREATE MACRO theil_of(counted) AS TABLE
    WITH place_total AS (
        SELECT place_no, count(*) AS values_counted, sum(value) AS total FROM placed_values(counted) GROUP BY place_no
    ),
    summed AS (
        SELECT place_no, fsum(value / as_float(total) * ln(value / as_float(total) * values_counted)) AS theil
        FROM placed_values(counted) JOIN place_total USING (place_no) WHERE value > 0 AND total > 0 GROUP BY place_no
    )
    SELECT place_no, values_counted, theil FROM place_total LEFT JOIN summed USING (place_no);
CREATE MACRO theil_between_of(counted) AS TABLE
    WITH of_branch AS (
        SELECT count(*) AS members, sum(value * getvariable('units_of_value'))::HUGEINT AS sum
        FROM query_table(counted) WHERE branch_no IS NOT NULL GROUP BY branch_no
    ),
    whole AS (SELECT sum(members)::BIGINT AS members, sum(of_branch.sum) AS total FROM of_branch)
    SELECT getvariable('bank_no') AS place_no, any_value(whole.members) AS values_counted,
           fsum(of_branch.sum / total * ln(of_branch.sum / total * whole.members / of_branch.members))
               FILTER (of_branch.sum > 0) AS theil_between
    FROM of_branch CROSS JOIN whole;
