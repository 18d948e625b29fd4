-- The households of the run and where they stand. Identifiers are text in the bank's files; from here on a household is
-- a small whole number in the order of its identifier, and so are places, grids and officers. Joins and groupings of the
-- later stages are then over dense integers, and an output in the order of the number is in the order of the key.

-- Places: the bank, its branches, its areas and valid grids. What lies in an area lies in those above it too.
CREATE TEMP TABLE place AS
SELECT row_number() OVER (ORDER BY level, ref_id)::INTEGER AS place_no, *
FROM (
    SELECT 'bank' AS kind, 'bank' AS level, 'bank' AS ref_id
    UNION ALL SELECT 'branch', 'branch', branch_id FROM branches
    UNION ALL SELECT 'area', level, area_id FROM areas
    UNION ALL SELECT 'grid', 'grid', grid_id FROM grids WHERE valid_from <= as_of() AND NOT has_ended(valid_to)
);

CREATE TEMP TABLE branch AS
SELECT place_no AS branch_no, branch_id FROM branches JOIN place ON place.kind = 'branch' AND ref_id = branch_id;

CREATE TEMP TABLE area AS
SELECT place_no AS area_no, area_id, parent_area_id FROM areas JOIN place ON place.kind = 'area' AND ref_id = area_id;

CREATE TEMP TABLE area_above AS
WITH RECURSIVE above AS (
    SELECT area_no, area_no AS above_no, parent_area_id FROM area
    UNION ALL
    SELECT above.area_no, area.area_no, area.parent_area_id
    FROM above JOIN area ON area.area_id = above.parent_area_id
)
SELECT area_no, above_no FROM above;

CREATE TEMP TABLE grid AS
SELECT
    row_number() OVER (ORDER BY grid_id)::INTEGER AS grid_no,
    branch_no,
    area_no,
    grid_id,
    branch_id,
    area_id,
    kind,
    settlement,
    joined_on,
    valid_from AS begins_on,
    CASE WHEN has_ended(valid_to) THEN valid_to END AS ended_on,
    valid_from <= as_of() AND NOT has_ended(valid_to) AS is_valid,
    CASE WHEN joined_on <= as_of() THEN whole_months_since(joined_on) // 12 + 1 ELSE 0 END AS programme_year
FROM grids JOIN branch USING (branch_id) JOIN area USING (area_id);

CREATE TEMP TABLE grid_place AS
SELECT grid_no, place_no FROM grid, place WHERE place.kind = 'bank'
UNION ALL SELECT grid_no, branch_no FROM grid
UNION ALL SELECT grid_no, above_no FROM grid JOIN area_above USING (area_no)
UNION ALL SELECT grid_no, place_no FROM grid JOIN place ON place.kind = 'grid' AND ref_id = grid_id;

CREATE TEMP TABLE officer AS
SELECT row_number() OVER (ORDER BY officer_id)::INTEGER AS officer_no, officer_id, branch_id, active_from, active_to
FROM officers;

CREATE TEMP TABLE household AS
SELECT
    row_number() OVER (ORDER BY household_id)::INTEGER AS household_no,
    household_id,
    grid_no,
    grid_id,
    branch_id,
    area_id,
    h.kind,
    k.scorecard_id,
    member_count,
    care_category,
    notice_consent,
    longitude,
    latitude,
    greatest(h.valid_from, joined_on) AS began_on,
    is_valid AS in_valid_grid
FROM households AS h
JOIN grid USING (grid_id)
JOIN policy_kind AS k ON k.kind = h.kind
WHERE h.valid_from <= as_of() AND NOT has_ended(h.valid_to);
