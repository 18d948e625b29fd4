-- Branches: one in each district, because an account of the export names the district of its branch and nothing more.
-- Their opening days are not told; the first day of the export, 1993-01-01, is the latest that they can have been.
SELECT
    'branch-' || LPAD(A1, 2, '0') AS branch_id,
    'branch' AS level,
    'Branch ' || A2 AS name,
    'district-' || LPAD(A1, 2, '0') AS area_id,
    '1993-01-01' AS opened_on
FROM district
