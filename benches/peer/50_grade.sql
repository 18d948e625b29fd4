-- From score and vetoes to the model's grade and its reasons. A first night: nothing is held back by the upgrade margin.

CREATE TEMP TABLE household_veto AS
WITH found AS (
    SELECT household_no, v.position
    FROM watchlist JOIN household USING (household_id) JOIN policy_veto AS v ON v.watchlist = list_name
    WHERE is_known(listed_on) AND NOT has_ended(delisted_on)
    UNION ALL
    SELECT household_no, v.position
    FROM (
        SELECT household_no, COLUMNS(lambda fact: list_contains(getvariable('veto_facts'), fact))::DOUBLE
        FROM household_fact
    ) UNPIVOT (value FOR fact IN (COLUMNS(* EXCLUDE household_no))) AS f
    JOIN policy_veto AS v USING (fact)
    WHERE value >= v.at_least OR value > v.more_than
)
SELECT household_no, list(code ORDER BY position) AS vetoes, bool_and(is_overridable) AS are_overridable
FROM (SELECT DISTINCT household_no, position FROM found) JOIN policy_veto USING (position)
GROUP BY household_no;

CREATE TEMP TABLE model AS
SELECT
    household_no,
    CASE WHEN not_rateable = [] THEN score END AS score,
    CASE
        WHEN vetoes <> [] THEN getvariable('grade_scale.veto_grade')
        WHEN not_rateable <> [] THEN 'NR'
        ELSE band.grade
    END AS model_grade,
    vetoes,
    are_overridable,
    (vetoes || not_rateable || CASE WHEN not_rateable = [] THEN shortfalls ELSE [] END)[:4] AS reasons
FROM (
    SELECT
        household_no,
        coalesce(vetoes, []) AS vetoes,
        coalesce(are_overridable, true) AS are_overridable,
        CASE
            WHEN profiled_on IS NULL THEN ['no_profile']
            ELSE CASE WHEN profile_age_days > getvariable('fact_rules.profile_days_max')
                      THEN ['stale_profile'] ELSE [] END
                 || CASE WHEN profile_completeness < getvariable('fact_rules.completeness_min')::DOUBLE
                         THEN ['incomplete_profile'] ELSE [] END
        END AS not_rateable
    FROM household_fact LEFT JOIN household_veto USING (household_no)
)
JOIN household_score USING (household_no)
-- The best grade whose lower bound the score reaches.
ASOF JOIN policy_band AS band ON score >= band.at_least;
