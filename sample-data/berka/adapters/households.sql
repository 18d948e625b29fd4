-- Households: the owner of each account, under the client's number, in the grid of the district where the client lives
-- (one in eleven keeps the account at a branch elsewhere). A household begins on the day its account was opened.
-- The export has no names, and its birth numbers (a birthday and a sex) are sensitive and stay unread.
-- How many people live with the owner is not told: one is the fewest that there can be.
SELECT
    disp.client_id AS household_id,
    'grid-' || LPAD(client.district_id, 2, '0') AS grid_id,
    'resident' AS kind,
    'client ' || disp.client_id AS head_name,
    1 AS member_count,
    'none' AS care_category,
    DATE(account."date", '%y%m%d') AS valid_from
FROM disp
JOIN client ON client.client_id = disp.client_id
JOIN account ON account.account_id = disp.account_id
WHERE disp."type" = 'OWNER'
