-- Words that every later stage uses. Macros are expanded when a statement is bound, so they cost nothing at run time,
-- and what does not depend on a row (a date, a policy value) is a constant in the plan: scans are pruned by it.
-- The variable `as_of` and the policy values ('file.key', as in the rulebook's files) are set by night.py.

CREATE MACRO as_of() AS getvariable('as_of');

-- The same day n months earlier or later, or the last day of a month that has no such day: DuckDB's own rule.
CREATE MACRO months_before(n) AS (as_of() - to_months(n))::DATE;
CREATE MACRO months_after(n) AS (as_of() + to_months(n))::DATE;

-- In W(n): after T - n months, up to and including T. Without a cast of the column, so that row groups can be skipped;
-- a timestamp is on a day when it is before the midnight that ends it.
CREATE MACRO in_window(n, moment) AS moment >= months_before(n) + 1 AND moment < as_of() + 1;
CREATE MACRO is_known(moment) AS moment < as_of() + 1;
CREATE MACRO has_ended(day) AS coalesce(day <= as_of(), false);

-- Whole months from a day to T: T - n months stands in the same month as the day, on T's day of the month or, where
-- that month is shorter, on its last day.
CREATE MACRO whole_months_since(day) AS
    date_diff('month', day, as_of())
    - CASE WHEN day(day) > least(day(as_of()), day(last_day(day))) THEN 1 ELSE 0 END;

-- Money is DECIMAL(18, 2) where it is added and compared and a whole number of cents where it is divided: a decimal
-- divided by anything is a float in DuckDB. A product of two decimals of up to 18 digits is held in 18 digits; where it
-- may need more, one factor is made wider first.
CREATE MACRO hundredfold(amount) AS amount * 100::DECIMAL(38, 0);
CREATE MACRO cents(amount) AS hundredfold(amount)::HUGEINT;
CREATE MACRO money(whole_cents) AS (whole_cents::DECIMAL(36, 0) * 0.01)::DECIMAL(18, 2);
-- DuckDB's // rounds towards zero; the rules round towards minus infinity.
CREATE MACRO divided_down(a, b) AS a // b - CASE WHEN a % b < 0 THEN 1 ELSE 0 END;
CREATE MACRO money_down(amount) AS money(floor(hundredfold(amount)));
CREATE MACRO money_up(amount) AS money(ceil(hundredfold(amount)));

-- Great-circle distance in metres on the sphere of the rules; null where a position is. (`least` would pass over a null.)
CREATE MACRO radius_m() AS 6371008.8;
CREATE MACRO at_most_one(share) AS CASE WHEN share > 1 THEN 1.0 ELSE share END;
CREATE MACRO distance_m(longitude_a, latitude_a, longitude_b, latitude_b) AS
    2 * radius_m() * asin(sqrt(at_most_one(
        pow(sin(radians(latitude_b - latitude_a) / 2), 2)
        + cos(radians(latitude_a)) * cos(radians(latitude_b)) * pow(sin(radians(longitude_b - longitude_a) / 2), 2))));
-- Never less than that: along the meridian and then along the equator, and a thousandth for the rounding of floats. It
-- costs no sine, and settles nearly every visit; a CASE computes the exact distance only for the rows that are left.
CREATE MACRO detour_m(longitude_a, latitude_a, longitude_b, latitude_b) AS
    1.001 * radius_m() * radians(abs(latitude_b - latitude_a) + abs(longitude_b - longitude_a));

-- A limit goes in steps, and a small one is none.
CREATE MACRO whole_steps(amount) AS
    money(CASE WHEN amount < 0 THEN 0 ELSE cents(amount) // cents(getvariable('limits.step')) END
          * cents(getvariable('limits.step')));
CREATE MACRO in_steps(amount) AS
    CASE WHEN whole_steps(amount) < getvariable('limits.minimum') THEN 0::DECIMAL(18, 2) ELSE whole_steps(amount) END;
