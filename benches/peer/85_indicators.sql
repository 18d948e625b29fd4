-- Values last: numerator over denominator at the level shown. Null where a source is not collected, and where nothing
-- stands in the denominator.

CREATE TEMP TABLE indicator_row AS
WITH
wanted AS (
    SELECT policy_indicator.*, place_no, level, ref_id, segment
    FROM policy_indicator
    CROSS JOIN node
    CROSS JOIN unnest(['all', 'business', 'resident', 'rural']) AS s(segment)
    WHERE list_contains(string_split(levels, '|'), level) AND (by_segment OR segment = 'all')
),
part AS (
    SELECT
        indicator_no,
        place_no,
        segment,
        max(known_units) FILTER (position = 0) AS a,
        max(known_units) FILTER (position = 1) AS b,
        max(known_units) FILTER (position = 2) AS c,
        max(known_units) FILTER (position = 3) AS d,
        max(scale) FILTER (position = 0) AS scale_a,
        max(scale) FILTER (position = 1) AS scale_b
    FROM (
        SELECT
            wanted.indicator_no, wanted.place_no, wanted.segment, position, scale,
            -- Nothing found is none, unless nobody has looked.
            CASE WHEN is_absent THEN NULL WHEN is_own THEN units ELSE coalesce(units, 0) END AS known_units
        FROM wanted
        JOIN policy_part USING (indicator_no)
        LEFT JOIN part_value AS v
            ON v.part_no = policy_part.part_no AND v.place_no = wanted.place_no AND v.segment = wanted.segment
    )
    GROUP BY indicator_no, place_no, segment
),
observed_indicator AS (SELECT DISTINCT indicator_no FROM statistic),
found AS (
    SELECT
        wanted.*,
        CASE kind WHEN 'ratio' THEN a WHEN 'amount' THEN a WHEN 'growth' THEN a - b END AS numerator_units,
        CASE WHEN kind IN ('ratio', 'growth') THEN b
             WHEN o.indicator_no IS NOT NULL THEN coalesce(values_counted, 0) END AS denominator_units,
        scale_a,
        CASE WHEN kind = 'growth' THEN scale_a ELSE coalesce(scale_b, 0) END AS scale_of_denominator,
        CASE kind
            WHEN 'ratio' THEN
                quotient(a * power_of_ten(scale_b) * factor_above, b * power_of_ten(scale_a) * factor_below)
            WHEN 'amount' THEN as_float(a) / pow(10, scale_a)
            WHEN 'growth' THEN quotient(a - b, b)
            WHEN 'growth_gap' THEN
                (quotient(a - b, b) - quotient(c - d, d)) * (as_float(factor_above) / as_float(factor_below))
            ELSE statistic.value
        END AS value
    FROM wanted
    LEFT JOIN part USING (indicator_no, place_no, segment)
    LEFT JOIN observed_indicator AS o USING (indicator_no)
    LEFT JOIN statistic USING (indicator_no, place_no)
),
-- The mean of how far a point is from the worst and how near it is to the best. A value beyond a goalpost counts as the
-- goalpost; there is none where a component has no value.
attained AS (
    SELECT c.indicator_no, f.place_no, weight, least(greatest((value - worst) / (best - worst), 0), 1) AS share,
           value IS NULL AS is_missing
    FROM policy_component AS c JOIN found AS f ON f.indicator_id = c.component AND segment = 'all'
),
composite AS (
    SELECT
        indicator_no,
        place_no,
        CASE WHEN NOT bool_or(is_missing) THEN
            (sqrt(sum(weight * share * weight * share)) / sqrt(sum(weight * weight))
             + 1 - sqrt(sum(pow(weight * (1 - share), 2))) / sqrt(sum(weight * weight))) / 2
        END AS value
    FROM attained
    GROUP BY indicator_no, place_no
)
SELECT
    indicator_id,
    version,
    level,
    ref_id,
    segment AS breakdown,
    as_of() AS period,
    four_digits(numerator_units, scale_a) AS numerator,
    four_digits(denominator_units, scale_of_denominator) AS denominator,
    coalesce(found.value, composite.value) AS value,
    unit,
    target,
    CASE direction WHEN 'up' THEN coalesce(found.value, composite.value) >= target
                   WHEN 'down' THEN coalesce(found.value, composite.value) <= target END AS met
FROM found LEFT JOIN composite USING (indicator_no, place_no);
