-- Which visits count. A flag is a bit. What a visit says by itself is decided while the log is read; what needs other
-- visits is found by one query each that returns only the visits concerned, a few in a hundred, so that the log itself
-- is never widened, sorted or joined for it.

SET VARIABLE flags = ['remote', 'too_short', 'too_far', 'overlapping', 'impossible_speed', 'duplicate_photo',
                      'no_position', 'late_record', 'odd_hours', 'not_assigned', 'shared_device'];
CREATE MACRO flag(name) AS (1 << (list_position(getvariable('flags'), name) - 1))::SMALLINT;
CREATE MACRO flag_if(condition, name) AS CASE WHEN condition THEN flag(name) ELSE 0::SMALLINT END;
SET VARIABLE invalidating = (SELECT bit_or(flag(name)) FROM unnest(['remote', 'too_short', 'too_far', 'overlapping',
                                                                    'impossible_speed', 'duplicate_photo']) AS f(name));

-- What became of the issue that a visit raised, by T.
SET VARIABLE issues = ['none', 'resolved_in_grid', 'resolved_in_community', 'resolved_in_township', 'open',
                       'open_urgent'];
CREATE MACRO issue(name) AS (list_position(getvariable('issues'), name) - 1)::UTINYINT;

CREATE TEMP TABLE visit AS
SELECT
    visit_id,
    officer_no,
    g.grid_no,
    branch_no,
    v.household_id,
    -- A visit counts for a household only in grids of its present branch.
    CASE WHEN h.branch_id = g.branch_id THEN h.household_no END AS household_no,
    started_at,
    ended_at,
    channel = 'onsite' AS is_onsite,
    v.longitude,
    v.latitude,
    device_id,
    flag_if(channel IN ('phone', 'online'), 'remote')
    | flag_if(channel = 'onsite' AND v.household_id IS NOT NULL
              AND ended_at - started_at < to_minutes(getvariable('visit_checks.minutes_min')), 'too_short')
    | CASE
        WHEN channel <> 'onsite' OR NOT detour_m(v.longitude, v.latitude, h.longitude, h.latitude)
                                        > getvariable('visit_checks.distance_max_m')::DOUBLE THEN 0::SMALLINT
        ELSE flag_if(distance_m(v.longitude, v.latitude, h.longitude, h.latitude)
                     > getvariable('visit_checks.distance_max_m')::DOUBLE, 'too_far')
      END
    | flag_if(channel = 'onsite' AND v.longitude IS NULL, 'no_position')
    | flag_if(recorded_at - ended_at > to_hours(getvariable('visit_checks.record_hours_max')), 'late_record')
    | flag_if(started_at::TIME < getvariable('visit_checks.day_starts')
              OR started_at::TIME >= getvariable('visit_checks.day_ends'), 'odd_hours') AS own_flags,
    CASE
        WHEN issue_level = 'none' THEN issue('none')
        WHEN is_known(issue_resolved_at) AND issue_status LIKE 'resolved%' THEN issue(issue_status)
        WHEN issue_level = 'urgent' THEN issue('open_urgent')
        ELSE issue('open')
    END AS issue,
    date_diff('microsecond', ended_at, recorded_at) AS record_delay_us
FROM visits AS v
JOIN grid AS g USING (grid_id)
JOIN officer AS o USING (officer_id)
LEFT JOIN household AS h ON h.household_id = v.household_id
WHERE in_window(24, started_at) AND is_known(recorded_at);

-- Against the officer's own earlier onsite visits: one sort, and only looks at the neighbours. A running maximum of
-- ended_at would cost more than the sort. It is not needed: the visit that ended last among the earlier ones is either the
-- one just before, or it outlasted its own successor, and those that do are few.
-- A speed is compared as a distance: the farthest that the officer could have come since, nowhere when there was no time.
CREATE TEMP TABLE in_sequence AS
SELECT
    visit_no,
    branch_no,
    officer_no,
    started_at,
    visit_id,
    ended_at,
    ended_at > next_ended_at AS outlasts_next,
    flag_if(started_at < last_ended_at, 'overlapping')
    | CASE
        WHEN NOT detour_m(before.longitude, before.latitude, longitude, latitude) > reach_m THEN 0::SMALLINT
        ELSE flag_if(distance_m(before.longitude, before.latitude, longitude, latitude) > reach_m, 'impossible_speed')
      END AS flags
FROM (
    SELECT
        *,
        greatest(
            getvariable('visit_checks.speed_distance_min_m')::DOUBLE,
            -- Kilometres an hour times microseconds, in metres.
            getvariable('visit_checks.speed_max_kmh')::DOUBLE
                * date_diff('microsecond', before.ended_at, started_at) / (3600 * 1000)) AS reach_m
    FROM (
        SELECT
            rowid AS visit_no,
            branch_no,
            officer_no,
            started_at,
            visit_id,
            ended_at,
            longitude,
            latitude,
            lag(ended_at) OVER in_order AS last_ended_at,
            lead(ended_at) OVER in_order AS next_ended_at,
            lag(CASE WHEN longitude IS NOT NULL
                     THEN {'ended_at': ended_at, 'longitude': longitude, 'latitude': latitude} END IGNORE NULLS)
                OVER in_order AS before
        FROM visit
        WHERE is_onsite
        WINDOW in_order AS (PARTITION BY branch_no, officer_no ORDER BY started_at, visit_id)
    )
)
WHERE flags <> 0 OR outlasts_next;

CREATE TEMP TABLE raised AS
SELECT visit_no, flags FROM in_sequence WHERE flags <> 0
UNION ALL
SELECT v.rowid, flag('overlapping')
FROM visit AS v
JOIN in_sequence AS long
    ON long.branch_no = v.branch_no AND long.officer_no = v.officer_no AND v.started_at < long.ended_at
    AND v.started_at >= long.started_at
WHERE long.outlasts_next AND v.is_onsite AND (v.started_at > long.started_at OR v.visit_id > long.visit_id);

-- Photos that occur twice are few. They are found by counting, straight from the log, so that the digests, its longest
-- texts, are not kept; only their visits are put in order.
INSERT INTO raised
WITH photo AS (
    SELECT photo_hash
    FROM visits
    WHERE photo_hash IS NOT NULL AND in_window(24, started_at) AND is_known(recorded_at)
    GROUP BY photo_hash
    HAVING count(*) > 1
),
repeated AS (
    SELECT visit_id
    FROM visits JOIN photo USING (photo_hash) JOIN grid USING (grid_id)
    WHERE in_window(24, started_at) AND is_known(recorded_at)
    QUALIFY row_number() OVER (PARTITION BY branch_no, photo_hash ORDER BY started_at, visit_id) > 1
)
SELECT visit.rowid, flag('duplicate_photo')
FROM visit JOIN repeated USING (visit_id);

CREATE TEMP TABLE assignment AS
SELECT grid_no, officer_no, duty, valid_from, valid_to
FROM assignments JOIN grid USING (grid_id) JOIN officer USING (officer_id);

INSERT INTO raised
SELECT v.rowid, flag('not_assigned')
FROM visit AS v
ANTI JOIN assignment AS a
    ON a.officer_no = v.officer_no AND a.grid_no = v.grid_no
    AND v.started_at >= a.valid_from AND v.started_at < coalesce(a.valid_to, DATE 'infinity');

INSERT INTO raised
WITH device AS (
    SELECT branch_no, device_id, started_at::DATE AS day
    FROM visit
    WHERE device_id IS NOT NULL
    GROUP BY ALL
    HAVING min(officer_no) <> max(officer_no)
)
SELECT visit.rowid, flag('shared_device')
FROM visit
JOIN device ON device.branch_no = visit.branch_no AND device.device_id = visit.device_id
           AND device.day = visit.started_at::DATE;

CREATE TEMP TABLE raised_by_others AS
SELECT visit_no, bit_or(flags) AS flags FROM raised GROUP BY visit_no;

CREATE MACRO all_flags(own, of_others) AS own | coalesce(of_others, 0::SMALLINT);
CREATE MACRO is_valid(bits) AS bits & getvariable('invalidating') = 0;

CREATE TEMP VIEW checked_visit AS
SELECT visit.*, visit.rowid AS visit_no, all_flags(own_flags, raised.flags) AS bits
FROM visit LEFT JOIN raised_by_others AS raised ON raised.visit_no = visit.rowid;

-- What visits add up to, at the finest key that anybody asks for: households, grids and officers sum a few rows of it.
CREATE TEMP TABLE visit_tally AS
SELECT
    household_no,
    grid_no,
    officer_no,
    count(*) FILTER (is_recent) AS visits_12m,
    count(*) FILTER (is_recent AND is_valid) AS valid_visits_12m,
    count(*) FILTER (is_valid AND in_window(1, started_at)) AS valid_visits_1m,
    count(*) FILTER (is_recent AND is_onsite) AS onsite_visits_12m,
    count(*) FILTER (is_recent AND is_onsite AND NOT is_valid) AS invalid_visits_12m,
    count(*) FILTER (is_recent AND issue <> issue('none')) AS issues_raised_12m,
    count(*) FILTER (is_recent AND issue = issue('resolved_in_grid')) AS issues_resolved_in_grid,
    count(*) FILTER (is_recent AND issue = issue('resolved_in_community')) AS issues_resolved_in_community,
    count(*) FILTER (is_recent AND issue = issue('resolved_in_township')) AS issues_resolved_in_township,
    count(*) FILTER (is_recent AND issue = issue('open_urgent')) AS urgent_open,
    max(started_at) FILTER (is_valid) AS last_valid_at,
    max(started_at) FILTER (is_recent AND is_onsite) AS last_onsite_at,
    min(started_at) FILTER (is_recent AND issue = issue('open_urgent')) AS urgent_since
FROM (SELECT *, in_window(12, started_at) AS is_recent, is_valid(bits) AS is_valid FROM checked_visit)
GROUP BY household_no, grid_no, officer_no;

-- Every combination of flags as its list, made once: a visit then only looks its list up.
CREATE TEMP TABLE flag_list AS
SELECT bits::SMALLINT AS bits, list_filter(getvariable('flags'), lambda name: bits & flag(name) <> 0) AS flags
FROM range(1 << len(getvariable('flags'))) AS t(bits);
