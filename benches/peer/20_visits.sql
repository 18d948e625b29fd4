-- Which visits count. A flag is a bit. What a visit says by itself is decided while the log is read; what needs other
-- visits is found by one query each that returns only the visits concerned, a few in a hundred, so that the log itself
-- is never widened, sorted or joined for it.

SET VARIABLE flags = ['remote', 'too_short', 'too_far', 'overlapping', 'impossible_speed', 'duplicate_photo',
                      'no_position', 'late_record', 'odd_hours', 'not_assigned', 'shared_device'];
CREATE MACRO flag(name) AS (1 << (list_position(getvariable('flags'), name) - 1))::SMALLINT;
CREATE MACRO flag_if(condition, name) AS CASE WHEN condition THEN flag(name) ELSE 0::SMALLINT END;
SET VARIABLE invalidating = (SELECT bit_or(flag(name)) FROM unnest(['remote', 'too_short', 'too_far', 'overlapping',
                                                                    'impossible_speed', 'duplicate_photo']) AS f(name));

CREATE TEMP TABLE visit AS
SELECT
    visit_id,
    v.officer_id,
    o.officer_no,
    v.grid_id,
    g.branch_id,
    g.branch_no,
    v.household_id,
    -- A visit counts for a household only in grids of its present branch.
    CASE WHEN h.branch_id = g.branch_id THEN h.household_no END AS household_no,
    started_at,
    ended_at,
    channel = 'onsite' AS is_onsite,
    v.longitude,
    v.latitude,
    photo_hash,
    device_id,
    flag_if(channel IN ('phone', 'online'), 'remote')
    | flag_if(channel = 'onsite' AND v.household_id IS NOT NULL
              AND ended_at - started_at < to_minutes(getvariable('visit_checks.minutes_min')), 'too_short')
    | flag_if(channel = 'onsite'
              AND distance_m(v.longitude, v.latitude, h.longitude, h.latitude)
                  > getvariable('visit_checks.distance_max_m')::DOUBLE, 'too_far')
    | flag_if(channel = 'onsite' AND v.longitude IS NULL, 'no_position')
    | flag_if(recorded_at - ended_at > to_hours(getvariable('visit_checks.record_hours_max')), 'late_record')
    | flag_if(started_at::TIME < getvariable('visit_checks.day_starts')
              OR started_at::TIME >= getvariable('visit_checks.day_ends'), 'odd_hours') AS own_flags
FROM visits AS v
JOIN grid AS g USING (grid_id)
JOIN officer AS o USING (officer_id)
LEFT JOIN household AS h ON h.household_id = v.household_id
WHERE in_window(24, started_at) AND is_known(recorded_at);

-- Against the officer's own earlier onsite visits: one sort for both checks. The frame ends before the visit itself.
CREATE TEMP TABLE raised AS
SELECT
    visit_no,
    flag_if(started_at < busy_until, 'overlapping')
    | flag_if(
        apart_m > getvariable('visit_checks.speed_distance_min_m')::DOUBLE
        -- Metres in microseconds against kilometres an hour; a gap of nothing or less is faster than any speed.
        AND (gap_us <= 0 OR apart_m * 3600 * 1000 > getvariable('visit_checks.speed_max_kmh')::DOUBLE * gap_us),
        'impossible_speed') AS flags
FROM (
    SELECT
        visit_no,
        started_at,
        busy_until,
        date_diff('microsecond', before.ended_at, started_at) AS gap_us,
        distance_m(before.longitude, before.latitude, longitude, latitude) AS apart_m
    FROM (
        SELECT
            rowid AS visit_no,
            started_at,
            longitude,
            latitude,
            max(ended_at) OVER (earlier ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS busy_until,
            lag(CASE WHEN longitude IS NOT NULL
                     THEN {'ended_at': ended_at, 'longitude': longitude, 'latitude': latitude} END IGNORE NULLS)
                OVER earlier AS before
        FROM visit
        WHERE is_onsite
        WINDOW earlier AS (PARTITION BY branch_no, officer_no ORDER BY started_at, visit_id)
    )
)
WHERE flags <> 0;

-- Photos that occur twice are few: they are found by counting, and only their visits are put in order.
INSERT INTO raised
WITH photo AS (
    SELECT branch_no, photo_hash FROM visit WHERE photo_hash IS NOT NULL GROUP BY ALL HAVING count(*) > 1
)
SELECT visit.rowid, flag('duplicate_photo')
FROM visit JOIN photo USING (branch_no, photo_hash)
QUALIFY row_number() OVER (PARTITION BY branch_no, photo_hash ORDER BY started_at, visit_id) > 1;

INSERT INTO raised
SELECT v.rowid, flag('not_assigned')
FROM visit AS v
ANTI JOIN assignments AS a
    ON a.officer_id = v.officer_id AND a.grid_id = v.grid_id
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

-- Every combination of flags as its list, made once: a visit then only looks its list up.
CREATE TEMP TABLE flag_list AS
SELECT bits::SMALLINT AS bits, list_filter(getvariable('flags'), lambda name: bits & flag(name) <> 0) AS flags
FROM range(1 << len(getvariable('flags'))) AS t(bits);
