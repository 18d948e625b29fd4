-- Grids: one in each district, so that every household stands in exactly one. The bank had no grids and no programme:
-- they are valid throughout the export, and join the programme on the day after it, so that no coverage target
-- is held against them.
SELECT
    'grid-' || LPAD(A1, 2, '0') AS grid_id,
    'branch-' || LPAD(A1, 2, '0') AS branch_id,
    'community-' || LPAD(A1, 2, '0') AS area_id,
    'community' AS kind,
    A2 AS name,
    '1999-01-01' AS joined_on,
    '1993-01-01' AS valid_from
FROM district
