-- The households of the run and where they stand. Identifiers are text in the bank's files; from here on a household is
-- a small whole number in the order of its identifier. Joins and groupings of the later stages are then over dense
-- integers, and an output in the order of the number is in the order of the key.

CREATE TEMP TABLE household AS
SELECT
    row_number() OVER (ORDER BY household_id)::INTEGER AS household_no,
    household_id,
    grid_id,
    branch_id,
    area_id,
    h.kind,
    k.scorecard_id,
    member_count,
    care_category,
    notice_consent,
    longitude,
    latitude
FROM households AS h
JOIN grids AS g USING (grid_id)
JOIN policy_kind AS k ON k.kind = h.kind
WHERE h.valid_from <= as_of() AND NOT has_ended(h.valid_to);

-- Visits are compared within the branch of their grid and by officer: small numbers instead of text as window keys.
CREATE TEMP TABLE grid AS
SELECT grid_id, branch_id, dense_rank() OVER (ORDER BY branch_id)::INTEGER AS branch_no FROM grids;

CREATE TEMP TABLE officer AS
SELECT officer_id, row_number() OVER (ORDER BY officer_id)::INTEGER AS officer_no FROM officers;
