-- No gap and no overlap: every place where the well-field rule is broken on T, with the figures and names behind it.

-- Names in order; of very many the first, and how many more there are.
CREATE MACRO names(all_names) AS
    array_to_string(list_sort(all_names)[:12], ', ')
    || CASE WHEN len(all_names) > 12 THEN format(' and {} more', len(all_names) - 12) ELSE '' END;
CREATE MACRO in_households(count) AS CASE WHEN count = 1 THEN '1 household' ELSE format('{} households', count) END;

-- Every valid grid with its people, as a manager calls them.
CREATE TEMP TABLE inspected_grid AS
WITH
people AS (
    SELECT
        grid_no,
        list(officer_id) FILTER (duty = 'primary') AS primary_officers,
        list(officer_id) FILTER (duty = 'backup') AS backup_officers,
        -- There has been more than one since the second of them began.
        list_sort(list(since) FILTER (duty = 'primary'))[2] AS many_primaries_since
    FROM serving
    GROUP BY grid_no
),
-- Since when nobody has had a duty, who had it last, and who begins next.
past AS (
    SELECT grid_no, duty, ends_on AS last_ended_on, list(DISTINCT officer_id ORDER BY officer_id) AS officers
    FROM term
    WHERE has_ended(ends_on)
    GROUP BY grid_no, duty, ends_on
    QUALIFY row_number() OVER (PARTITION BY grid_no, duty ORDER BY ends_on DESC) = 1
),
next AS (
    SELECT grid_no, duty, min({'begins_on': begins_on, 'officer_id': officer_id}) AS next
    FROM term
    WHERE begins_on > as_of()
    GROUP BY grid_no, duty
),
vacancy AS (
    SELECT
        grid_no,
        duty,
        CASE WHEN last_ended_on IS NULL THEN ', and never one before'
             ELSE format(' since {} (until then {})', last_ended_on::VARCHAR, names(officers)) END
        || coalesce(format('; {} begins on {}', next.officer_id, next.begins_on::VARCHAR), '') AS history
    FROM grid
    CROSS JOIN unnest(['primary', 'backup']) AS d(duty)
    LEFT JOIN past USING (grid_no, duty)
    LEFT JOIN next USING (grid_no, duty)
)
SELECT
    grid_no,
    grid_id,
    grid.branch_id,
    area_id,
    kind,
    format('grid {} of branch {}', grid_id, grid.branch_id) AS name,
    households,
    in_households(households) AS found,
    coalesce(primary_officers, []) AS primaries,
    coalesce(backup_officers, []) AS backups,
    many_primaries_since,
    primary_vacancy.history AS primary_history,
    backup_vacancy.history AS backup_history
FROM grid
JOIN grid_coverage USING (grid_no)
LEFT JOIN people USING (grid_no)
JOIN vacancy AS primary_vacancy ON primary_vacancy.grid_no = grid.grid_no AND primary_vacancy.duty = 'primary'
JOIN vacancy AS backup_vacancy ON backup_vacancy.grid_no = grid.grid_no AND backup_vacancy.duty = 'backup';

CREATE TEMP TABLE inspected_area AS
WITH
other AS (
    SELECT
        area_id,
        max({'day': ended_on, 'grid_id': grid_id}) FILTER (ended_on IS NOT NULL) AS last,
        min({'day': begins_on, 'grid_id': grid_id}) FILTER (begins_on > as_of()) AS next
    FROM grid
    GROUP BY area_id
),
elsewhere AS (
    SELECT area_id, count(*) AS households FROM household WHERE NOT in_valid_grid GROUP BY area_id
),
by_branch AS (
    SELECT area_id, branch_id, list(grid_id) AS grids FROM inspected_grid GROUP BY area_id, branch_id
),
valid AS (
    SELECT
        area_id,
        flatten(list(grids)) AS grids,
        count(*) AS branches,
        string_agg(format('{} ({})', branch_id, names(grids)), ', ' ORDER BY branch_id) AS by_branch
    FROM by_branch
    GROUP BY area_id
)
SELECT
    areas.area_id,
    is_rural,
    household_count AS registered,
    format('area {} {}', areas.area_id, areas.name) AS name,
    coverage.households,
    grids,
    branches,
    by_branch,
    coalesce(format(', {} ended on {}', last.grid_id, last.day::VARCHAR), '')
    || coalesce(format(', {} begins on {}', next.grid_id, next.day::VARCHAR), '') AS other_grids,
    coalesce(format('; {} more in grids that are not valid', in_households(elsewhere.households)), '') AS elsewhere,
    getvariable('partition.count_tolerance')::DECIMAL(19, 9) * household_count AS tolerance
FROM areas
JOIN place ON place.kind = 'area' AND ref_id = areas.area_id
JOIN coverage ON coverage.place_no = place.place_no AND segment = 'all'
LEFT JOIN other USING (area_id)
LEFT JOIN elsewhere USING (area_id)
LEFT JOIN valid USING (area_id)
WHERE areas.level IN ('village', 'community');

CREATE TEMP TABLE partition_fault AS
WITH
officer_grids AS (
    SELECT
        officer_no,
        count(*) AS grids,
        list(format('{} (since {})', grid_id, since::VARCHAR)) AS all_grids,
        list(format('{} of branch {}', grid_id, g.branch_id)) FILTER (g.branch_id <> officer.branch_id) AS foreign_grids
    FROM serving JOIN grid AS g USING (grid_no) JOIN officer USING (officer_no)
    WHERE duty = 'primary' AND g.is_valid
    GROUP BY officer_no
)
SELECT 'grid_without_primary' AS fault, 'grid' AS subject_kind, grid_id AS subject_id,
       format('{}: no primary officer{}; {}; {}', name, primary_history,
              CASE WHEN backups = [] THEN 'no backup either' ELSE 'backup ' || names(backups) END, found) AS detail
FROM inspected_grid WHERE primaries = []
UNION ALL
SELECT 'grid_with_many_primaries', 'grid', grid_id,
       format('{}: primary officers {} since {}', name, names(primaries), many_primaries_since::VARCHAR)
FROM inspected_grid WHERE len(primaries) > 1
UNION ALL
SELECT 'grid_without_backup', 'grid', grid_id,
       format('{}: no backup officer{}; {}; {}', name, backup_history,
              CASE WHEN primaries = [] THEN 'no primary officer either' ELSE 'primary officer ' || names(primaries) END,
              found)
FROM inspected_grid WHERE backups = []
UNION ALL
SELECT 'officer_with_many_grids', 'officer', officer_id,
       format('officer {} of branch {}: primary of {} grids, {}', officer_id, branch_id, grids, names(all_grids))
FROM officer_grids JOIN officer USING (officer_no) WHERE grids > 1
UNION ALL
SELECT 'officer_of_other_branch', 'officer', officer_id,
       format('officer {} of branch {}: primary of grid {}', officer_id, branch_id, names(foreign_grids))
FROM officer_grids JOIN officer USING (officer_no) WHERE foreign_grids IS NOT NULL
UNION ALL
SELECT CASE WHEN households < at_least THEN 'grid_too_small' ELSE 'grid_too_large' END, 'grid', grid_id,
       format('{}: {}, at {} in a grid of kind {}', name, found,
              CASE WHEN households < at_least THEN 'least ' || at_least ELSE 'most ' || at_most END, kind)
FROM inspected_grid JOIN policy_grid_size USING (kind) WHERE households NOT BETWEEN at_least AND at_most
UNION ALL
SELECT 'branch_closed', 'grid', grid_id,
       format('grid {}: branch {} {}; {}, {}', grid_id, branch_id,
              CASE WHEN has_ended(closed_on) THEN 'closed on ' || closed_on ELSE 'opens only on ' || opened_on END,
              found,
              CASE WHEN primaries = [] THEN 'no primary officer' ELSE 'primary officer ' || names(primaries) END)
FROM inspected_grid JOIN branches USING (branch_id) WHERE has_ended(closed_on) OR opened_on > as_of()
UNION ALL
SELECT 'area_without_grid', 'area', area_id,
       format('{}: no valid grid{}; {} in the civil register', name, other_grids, in_households(registered))
FROM inspected_area WHERE grids IS NULL
UNION ALL
SELECT 'rural_overlap', 'area', area_id, format('{}: valid grids of {} branches, {}', name, branches, by_branch)
FROM inspected_area WHERE is_rural AND branches > 1
UNION ALL
SELECT CASE WHEN households < registered THEN 'households_short' ELSE 'households_over' END, 'area', area_id,
       format('{}: {} in valid grids ({}), {} in the civil register: {} {}, tolerance {}{}', name,
              in_households(households), names(grids), registered, abs(households - registered),
              CASE WHEN households < registered THEN 'short' ELSE 'over' END, floor(tolerance)::BIGINT, elsewhere)
FROM inspected_area WHERE grids IS NOT NULL AND abs(households - registered) > tolerance
UNION ALL
SELECT 'grid_not_valid', 'household', household_id,
       format('household {}: its grid {} of branch {} {}', household_id, grid_id, branch_id,
              CASE WHEN begins_on > as_of() THEN 'is valid only from ' || begins_on ELSE 'ended on ' || ended_on END)
FROM (SELECT household_id, grid_no FROM household WHERE NOT in_valid_grid) JOIN grid USING (grid_no);
