-- Points by characteristic, and what they come to. The facts that scorecards name are turned into rows; a bin is then
-- found by a join with a range. Where a card says "at most", value and bounds are both taken with a minus, so that every
-- bin is a range from a lower bound up to, but not including, that of the bin above it.

CREATE TEMP TABLE household_point AS
SELECT
    household_no,
    c.characteristic_no,
    value,
    coalesce(b.points, c.missing_points) AS points
FROM (
    SELECT
        household_no,
        scorecard_id,
        COLUMNS(lambda fact: list_contains(getvariable('scorecard_facts'), fact))::DOUBLE
    FROM household_fact JOIN household USING (household_no)
) UNPIVOT INCLUDE NULLS (value FOR fact IN (COLUMNS(* EXCLUDE (household_no, scorecard_id)))) AS f
JOIN policy_characteristic AS c USING (scorecard_id, fact)
LEFT JOIN policy_bin AS b
    ON b.characteristic_no = c.characteristic_no
    AND value * c.direction >= b.lower_bound AND value * c.direction < b.upper_bound;

CREATE TEMP TABLE household_score AS
SELECT
    household_no,
    -- 100 x points / maximum in tenths, rounded half up, in whole numbers.
    ((2 * 1000 * sum(points_tenths) + sum(max_tenths)) // (2 * sum(max_tenths)))::BIGINT * 0.1 AS score,
    -- The greatest shortfalls; of equal ones the first on the card.
    coalesce(arg_max(fact, (max_tenths - points_tenths) * 1000 - card_position, 4)
        FILTER (max_tenths > points_tenths), []) AS shortfalls
FROM (
    SELECT household_no, fact, card_position, (points * 10)::BIGINT AS points_tenths,
           (max_points * 10)::BIGINT AS max_tenths
    FROM household_point JOIN policy_characteristic USING (characteristic_no)
    WHERE is_on
)
GROUP BY household_no;
