-- Accounts: all 4,500, each under its one owner. They are current accounts, hence `demand`; the export tells of no
-- closing. The bank of 1993 to 1998 shows no mobile banking and no merchant terminal: both are false.
SELECT
    account.account_id,
    disp.client_id AS household_id,
    'demand' AS product,
    DATE(account."date", '%y%m%d') AS opened_on,
    FALSE AS has_mobile,
    FALSE AS has_pos
FROM account
JOIN disp ON disp.account_id = account.account_id
WHERE disp."type" = 'OWNER'
