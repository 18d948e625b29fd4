-- How far grids, branches and areas are covered, how officers did, which villages are credit villages, and what is to be
-- done. Households are counted once, by grid and segment; every level above sums those counts, and shares come last.

SET VARIABLE counts = ['households', 'care_households', 'profiled', 'profiled_fresh', 'graded', 'white', 'suggested',
                       'granted', 'drawn', 'borrowing', 'with_account', 'active_account', 'visited_12m',
                       'care_visited_3m', 'profiles_required', 'profile_gap'];
CREATE MACRO share_of(part, whole) AS CASE WHEN whole <> 0 THEN part / whole END;
CREATE MACRO segment_of(kind) AS
    CASE WHEN kind = 'resident' THEN 'resident'
         WHEN kind IN ('merchant', 'small_enterprise') THEN 'business'
         ELSE 'rural' END;

-- Who serves which grid. An assignment counts as far as its officer is active; officers are counted, not rows.
CREATE TEMP TABLE term AS
SELECT
    grid_no,
    officer_no,
    officer_id,
    duty,
    greatest(valid_from, active_from) AS begins_on,
    least(valid_to, active_to) AS ends_on
FROM assignment JOIN officer USING (officer_no)
WHERE begins_on < coalesce(ends_on, DATE 'infinity');

CREATE TEMP TABLE serving AS
SELECT grid_no, officer_no, officer_id, duty, min(begins_on) AS since
FROM term
WHERE begins_on <= as_of() AND NOT has_ended(ends_on)
GROUP BY ALL;

-- Which counts a household stands in; a household of a grid that is not valid stands in none.
CREATE TEMP TABLE standing AS
SELECT
    household_no,
    grid_no,
    segment_of(kind) AS segment,
    care_category <> 'none' AS care_household,
    profiled_on IS NOT NULL AS profiled,
    coalesce(profile_age_days <= getvariable('fact_rules.fresh_days'), false) AS profiled_fresh,
    profiled AND model_grade <> 'NR' AS graded,
    credit_list = 'white' AS white,
    suggested_limit > 0 AS suggested,
    decision IN ('accept', 'adjust') AND final_limit > 0 AS granted,
    granted AND own_outstanding > 0 AS drawn,
    own_outstanding > 0 AS borrowing,
    has_open_account AS with_account,
    has_open_account AND has_transactions AS active_account,
    valid_visits_12m > 0 AS visited_12m,
    care_household AND coalesce(in_window(3, as_of() - days_since_valid_visit::INTEGER), false) AS care_visited_3m,
    decision NOT IN ('decline', 'suspend') AND list_contains(getvariable('credit_villages.credit_grades'), final_grade)
        AS is_credit_household,
    coalesce(instalments_due_24m > 0, false) AS is_borrower,
    is_borrower AND delay_days_max_24m <= getvariable('credit_villages.prompt_days') AS is_prompt,
    own_outstanding,
    own_bad_outstanding
FROM household
JOIN household_fact USING (household_no)
JOIN model USING (household_no)
JOIN final USING (household_no)
JOIN (SELECT household_no, suggested_limit FROM limit_for WHERE is_model) USING (household_no)
WHERE in_valid_grid;

-- By valid grid and segment. The credit parts of village ratings are counted beside the counts of coverage.
CREATE TEMP TABLE grid_count AS
WITH counted AS (
    SELECT
        grid_no,
        segment,
        count(*) AS households,
        count(*) FILTER (care_household) AS care_households,
        count(*) FILTER (profiled) AS profiled,
        count(*) FILTER (profiled_fresh) AS profiled_fresh,
        count(*) FILTER (graded) AS graded,
        count(*) FILTER (white) AS white,
        count(*) FILTER (suggested) AS suggested,
        count(*) FILTER (granted) AS granted,
        count(*) FILTER (drawn) AS drawn,
        count(*) FILTER (borrowing) AS borrowing,
        count(*) FILTER (with_account) AS with_account,
        count(*) FILTER (active_account) AS active_account,
        count(*) FILTER (visited_12m) AS visited_12m,
        count(*) FILTER (care_visited_3m) AS care_visited_3m,
        count(*) FILTER (is_credit_household) AS credit_households,
        count(*) FILTER (is_borrower) AS borrowers,
        count(*) FILTER (is_prompt) AS prompt_borrowers,
        sum(own_outstanding) AS outstanding,
        sum(own_bad_outstanding) AS bad_outstanding
    FROM standing
    GROUP BY grid_no, segment
)
SELECT counted.*, ceil(coalesce(target, 0) * households)::BIGINT AS profiles_required
FROM counted
JOIN grid USING (grid_no)
-- The target of the grid's year; the last one holds for all later years, and there is none before the first.
ASOF LEFT JOIN policy_target AS t ON t.segment = counted.segment AND grid.programme_year >= t.programme_year;

-- By place: each segment with its gap, and all together, whose gap is the sum of the three.
CREATE TEMP TABLE place_count AS
WITH by_segment AS (
    SELECT
        place_no,
        segment,
        sum(COLUMNS(* EXCLUDE (grid_no, segment, place_no))),
        greatest(0, sum(profiles_required) - sum(profiled)) AS profile_gap
    FROM grid_count JOIN grid_place USING (grid_no)
    GROUP BY place_no, segment
)
FROM by_segment
UNION ALL BY NAME
SELECT place_no, 'all' AS segment, sum(COLUMNS(* EXCLUDE (place_no, segment))) FROM by_segment GROUP BY place_no;

-- Counts, gap and shares of every place and segment, zeros too, in the order of the columns of the coverage tables.
CREATE TEMP TABLE coverage AS
SELECT
    *,
    share_of(profiled, households) AS profile_share,
    share_of(profiled_fresh, households) AS fresh_share,
    share_of(graded, profiled) AS grading_share,
    share_of(granted, households) AS granting_share,
    share_of(drawn, granted) AS drawing_share,
    share_of(visited_12m, households) AS visiting_share,
    share_of(care_visited_3m, care_households) AS care_visiting_share
FROM (
    SELECT
        place_no,
        segment,
        coalesce(COLUMNS(lambda name: list_contains(getvariable('counts'), name)), 0)::BIGINT
    FROM place
    CROSS JOIN unnest(['all', 'rural', 'resident', 'business']) AS s(segment)
    LEFT JOIN place_count USING (place_no, segment)
);

CREATE TEMP VIEW grid_coverage AS
SELECT grid_no, coverage.* EXCLUDE (place_no, segment)
FROM coverage
JOIN place ON place.place_no = coverage.place_no AND kind = 'grid'
JOIN grid ON grid_id = ref_id
WHERE segment = 'all';

CREATE TEMP TABLE place_grids AS
SELECT place_no, count(*) AS grids FROM grid_place JOIN grid USING (grid_no) WHERE is_valid GROUP BY place_no;

-- What was done in each grid: visits of twelve months, whoever made them.
CREATE TEMP TABLE grid_visits AS
SELECT
    *,
    issues_resolved_in_grid + issues_resolved_in_community + issues_resolved_in_township AS issues_resolved,
    valid_visits_1m >= 1 AS patrol_met
FROM (
    SELECT
        grid_no,
        coalesce(sum(COLUMNS(visit_tally.* EXCLUDE (household_no, grid_no, officer_no, last_valid_at, last_onsite_at,
                                                    urgent_since))), 0)::BIGINT
    FROM grid LEFT JOIN visit_tally USING (grid_no)
    GROUP BY grid_no
);

CREATE TEMP TABLE grid_staff AS
SELECT
    grid_no,
    count(officer_no) FILTER (s.duty = 'primary') AS primaries,
    count(officer_no) FILTER (s.duty = 'backup') AS backups,
    CASE WHEN primaries = 1 THEN any_value(officer_id) FILTER (s.duty = 'primary') END AS primary_officer_id
FROM grid LEFT JOIN serving AS s USING (grid_no)
GROUP BY grid_no;

-- Officers, by what was done in the valid grids of their own branch of which they are a primary. A term is full where
-- there was nothing to do, and every term is rounded down to tenths by itself: in whole tenths.
CREATE MACRO met(points, part, whole) AS
    CASE WHEN whole = 0 THEN (points * 10)::BIGINT ELSE (points * 10)::BIGINT * part // whole END;

CREATE TEMP TABLE officer_assessment AS
WITH own_visits AS (
    SELECT officer_no, sum(onsite_visits_12m)::BIGINT AS onsite, sum(invalid_visits_12m)::BIGINT AS invalid
    FROM visit_tally JOIN grid USING (grid_no) JOIN officer USING (officer_no)
    WHERE grid.branch_id = officer.branch_id
    GROUP BY officer_no
),
served AS (
    SELECT
        officer_no,
        count(*) AS grids,
        sum(households)::BIGINT AS households,
        sum(visited_12m)::BIGINT AS visited,
        sum(care_households)::BIGINT AS care_households,
        sum(care_visited_3m)::BIGINT AS care_visited,
        count(*) FILTER (patrol_met) AS patrolled,
        sum(profiled_fresh)::BIGINT AS fresh,
        sum(issues_raised_12m)::BIGINT AS raised,
        sum(issues_resolved)::BIGINT AS resolved
    FROM serving
    JOIN grid USING (grid_no)
    JOIN officer USING (officer_no)
    JOIN grid_visits USING (grid_no)
    JOIN grid_coverage USING (grid_no)
    WHERE duty = 'primary' AND grid.branch_id = officer.branch_id
    GROUP BY officer_no
),
assessed AS (
    SELECT
        officer_no,
        grids,
        households,
        coalesce(onsite, 0) AS onsite_visits_12m,
        coalesce(invalid, 0) AS invalid_visits_12m,
        met(getvariable('officers.points.households_visited'), visited, households)
        + met(getvariable('officers.points.care_households_visited'), care_visited, care_households)
        + met(getvariable('officers.points.grids_patrolled'), patrolled, grids) AS visiting,
        met(getvariable('officers.points.profiles_fresh'), fresh, households) AS filing,
        -- Nobody is trusted for having made no visit.
        CASE WHEN onsite_visits_12m > 0 THEN
            met(getvariable('officers.points.visits_valid'), onsite_visits_12m - invalid_visits_12m, onsite_visits_12m)
        ELSE 0 END AS truthfulness,
        met(getvariable('officers.points.issues_resolved'), resolved, raised) AS issues,
        visiting + filing + truthfulness + issues AS score,
        onsite_visits_12m >= getvariable('officers.onsite_min')
        AND invalid_visits_12m > getvariable('officers.invalid_share_max')::DECIMAL(19, 9) * onsite_visits_12m
            AS is_vetoed
    FROM served LEFT JOIN own_visits USING (officer_no)
)
SELECT assessed.*, CASE WHEN is_vetoed THEN getvariable('officers.lowest') ELSE r.rating END AS rating
FROM assessed
ASOF LEFT JOIN policy_rating AS r ON score >= r.at_least_tenths;

-- Credit villages and communities by their own households, townships by their villages and communities, counties by
-- their townships. A share of nothing holds; where nothing lies below, nothing has been shown.
CREATE TEMP TABLE area_rating AS
WITH credit AS (
    SELECT
        areas.area_id,
        areas.level,
        areas.parent_area_id AS parent_id,
        coalesce(COLUMNS(lambda name: list_contains(
            ['households', 'credit_households', 'borrowers', 'prompt_borrowers'], name)), 0)::BIGINT,
        coalesce(COLUMNS(lambda name: list_contains(['outstanding', 'bad_outstanding'], name)), 0)::DECIMAL(18, 2)
    FROM areas
    JOIN place ON place.kind = 'area' AND ref_id = areas.area_id
    LEFT JOIN place_count ON place_count.place_no = place.place_no AND segment = 'all'
),
village AS (
    SELECT
        credit.*,
        CASE WHEN households >= getvariable('credit_villages.households_min') THEN
            coalesce((SELECT max(s.stars) FROM policy_star AS s
                      WHERE credit.credit_households >= s.credit_share_min * credit.households
                        AND credit.prompt_borrowers >= s.prompt_share_min * credit.borrowers
                        AND credit.bad_outstanding <= s.bad_share_max * credit.outstanding), 0)
        ELSE 0 END::BIGINT AS stars
    FROM credit
    WHERE level IN ('village', 'community')
),
township AS (
    SELECT
        credit.*,
        below,
        starred,
        below > 0 AND starred >= getvariable('credit_villages.township_share')::DECIMAL(19, 9) * below AS is_credit_area
    FROM credit
    LEFT JOIN (
        SELECT parent_id, count(*) AS below, count(*) FILTER (households > 0 AND stars >= 1) AS starred
        FROM village GROUP BY parent_id
    ) AS v ON v.parent_id = area_id
    WHERE level = 'township'
),
county AS (
    SELECT
        credit.*,
        starred,
        below > 0 AND starred >= getvariable('credit_villages.county_share')::DECIMAL(19, 9) * below AS is_credit_area
    FROM credit
    LEFT JOIN (
        SELECT parent_id, count(*) AS below, count(*) FILTER (households > 0 AND is_credit_area) AS starred
        FROM township GROUP BY parent_id
    ) AS t ON t.parent_id = area_id
    WHERE level = 'county'
),
rated AS (
    SELECT * EXCLUDE (stars), NULL AS starred_below, stars, stars >= 1 AS is_credit_area FROM village
    UNION ALL BY NAME
    SELECT * EXCLUDE (below, starred, is_credit_area), coalesce(starred, 0) AS starred_below,
           coalesce(is_credit_area, false) AS is_credit_area FROM township
    UNION ALL BY NAME
    SELECT * EXCLUDE (starred, is_credit_area), coalesce(starred, 0) AS starred_below,
           coalesce(is_credit_area, false) AS is_credit_area FROM county
)
FROM rated;

-- What an officer has to do for a household, and by when: of several reasons the earliest day counts. A household
-- without a visit is counted from its first day in a grid of the programme, and from no earlier than visits are looked at.
CREATE MACRO months_later(day, n) AS (day + to_months(n))::DATE;
CREATE MACRO visit_due(last_on, began_on, months) AS
    CASE WHEN coalesce(last_on, greatest(began_on, months_before(24))) <= months_before(months)
         THEN months_later(coalesce(last_on, greatest(began_on, months_before(24))), months) END;

CREATE TEMP TABLE work AS
WITH
of_household AS (
    SELECT household_no, max(last_onsite_at) AS last_onsite_at, min(urgent_since) AS urgent_since
    FROM visit_tally
    WHERE household_no IS NOT NULL
    GROUP BY household_no
),
-- Whether the latest visit on site counts; of two that began together the one with the later identifier stands.
to_repeat AS (
    SELECT v.household_no, last_onsite_at
    FROM checked_visit AS v
    JOIN of_household AS h ON h.household_no = v.household_no AND h.last_onsite_at = v.started_at
    WHERE is_onsite
    GROUP BY v.household_no, last_onsite_at
    HAVING NOT is_valid(arg_max(bits, visit_id))
),
due AS (
    SELECT
        household_no,
        grid_no,
        as_of() - days_since_valid_visit::INTEGER AS last_valid_visit_on,
        profiled_on + getvariable('fact_rules.profile_days_max') AS profile_valid_until,
        CASE WHEN profiled_on IS NULL THEN began_on + getvariable('work_list.filing_days') END AS no_profile,
        CASE WHEN profile_age_days > getvariable('fact_rules.fresh_days')
             THEN profiled_on + getvariable('fact_rules.fresh_days') END AS stale_profile,
        CASE WHEN profile_valid_until BETWEEN as_of() AND as_of() + getvariable('work_list.expiry_notice_days')
             THEN profile_valid_until END AS profile_expiring,
        visit_due(last_valid_visit_on, began_on, getvariable('work_list.visit_months')) AS not_visited,
        CASE WHEN care_category <> 'none'
             THEN visit_due(last_valid_visit_on, began_on, getvariable('work_list.care_visit_months'))
        END AS care_not_visited,
        urgent_since::DATE + getvariable('work_list.urgent_issue_days') AS urgent_issue,
        to_repeat.last_onsite_at::DATE + getvariable('work_list.repeat_visit_days') AS repeat_visit
    FROM household
    JOIN household_fact USING (household_no)
    LEFT JOIN of_household USING (household_no)
    LEFT JOIN to_repeat USING (household_no)
    WHERE in_valid_grid
),
listed AS (
    SELECT
        household_no,
        grid_no,
        last_valid_visit_on,
        profile_valid_until,
        -- By day; of one day in this order.
        list_sort(list_filter([
            {'due_on': no_profile, 'place': 0, 'reason': 'no_profile'},
            {'due_on': stale_profile, 'place': 1, 'reason': 'stale_profile'},
            {'due_on': profile_expiring, 'place': 2, 'reason': 'profile_expiring'},
            {'due_on': not_visited, 'place': 3, 'reason': 'not_visited'},
            {'due_on': care_not_visited, 'place': 4, 'reason': 'care_not_visited'},
            {'due_on': urgent_issue, 'place': 5, 'reason': 'urgent_issue'},
            {'due_on': repeat_visit, 'place': 6, 'reason': 'repeat_visit'}
        ], lambda reason: reason.due_on IS NOT NULL)) AS reasons
    FROM due
    WHERE coalesce(no_profile, stale_profile, profile_expiring, not_visited, care_not_visited, urgent_issue,
                   repeat_visit) IS NOT NULL
)
-- The grid's primaries have the work, or its backups where it has none.
SELECT officer_no, household_no, duty, reasons, last_valid_visit_on, profile_valid_until
FROM listed
JOIN serving USING (grid_no)
JOIN grid_staff USING (grid_no)
WHERE duty = CASE WHEN primaries > 0 THEN 'primary' ELSE 'backup' END;
