-- Areas, in three levels that the export's 77 districts and 8 regions are laid on: a region stands as the county, a
-- district as its township, and the same district once more as the one community that its grid lies in.
-- An area is rural when less than half of its people live in towns (A10, in percent).
-- The export has no people of 15 and older and no count of households: both are 0, so that whatever is divided by
-- them stays empty instead of wrong.
WITH place AS (
    SELECT
        LPAD(A1, 2, '0') AS code,
        A2 AS name,
        A3 AS region,
        CAST(A4 AS BIGINT) AS people,
        CAST(A10 AS DOUBLE) AS town_percent
    FROM district
),
area AS (
    SELECT
        'region-' || REPLACE(region, ' ', '-') AS area_id,
        CAST(NULL AS VARCHAR) AS parent_area_id,
        'county' AS level,
        region AS name,
        SUM(people * town_percent) / SUM(people) < 50.0 AS is_rural,
        SUM(people) AS population
    FROM place
    GROUP BY region
    UNION ALL
    SELECT
        'district-' || code AS area_id,
        'region-' || REPLACE(region, ' ', '-') AS parent_area_id,
        'township' AS level,
        name,
        town_percent < 50.0 AS is_rural,
        people AS population
    FROM place
    UNION ALL
    SELECT
        'community-' || code AS area_id,
        'district-' || code AS parent_area_id,
        'community' AS level,
        name,
        town_percent < 50.0 AS is_rural,
        people AS population
    FROM place
)
SELECT
    area_id,
    parent_area_id,
    level,
    name,
    is_rural,
    population,
    0 AS adult_population,
    0 AS household_count
FROM area
