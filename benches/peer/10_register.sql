-- The households of the run and where they stand. Identifiers are text in the bank's files; from here on a household is
-- a small whole number in the order of its identifier, and so are grids and officers. Joins and groupings of the later
-- stages are then over dense integers, and an output in the order of the number is in the order of the key.

-- Visits are compared within the branch of their grid: a small number instead of text as a window key.
CREATE TEMP TABLE grid AS
SELECT
    row_number() OVER (ORDER BY grid_id)::INTEGER AS grid_no,
    dense_rank() OVER (ORDER BY branch_id)::INTEGER AS branch_no,
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
FROM grids;

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
