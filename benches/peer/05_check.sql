-- What a row must keep, whatever its table. The checks themselves are made from the contracts by check.py, one scan for
-- each table: a row's state is the first rule that it breaks, a number in the order of the rules.

SET VARIABLE states = ['accepted', 'not_yet_known', 'null', 'word', 'range', 'date_order', 'duplicate_key', 'reference',
                       'overlapping_validity'];
CREATE MACRO state(name) AS (list_position(getvariable('states'), name) - 1)::UTINYINT;

-- 1 to 64 bytes and no control character. What an address may hold as it is needs no second look.
CREATE MACRO is_sound_id(id) AS
    strlen(id) BETWEEN 1 AND 64
    AND CASE WHEN url_encode(id) = id THEN true ELSE NOT regexp_matches(id, '\p{Cc}') END;
CREATE MACRO is_sound_day(day) AS day BETWEEN DATE '0001-01-01' AND DATE '9999-12-31';
CREATE MACRO is_sound_time(moment) AS moment >= TIMESTAMP '0001-01-01' AND moment < TIMESTAMP '10000-01-01';

CREATE TEMP TABLE row_count (table_name VARCHAR, state UTINYINT, rows BIGINT);
