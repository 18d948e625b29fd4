-- Accounts from the core system, semicolons between fields, Y and N for yes and no.
SELECT
    "账号" AS account_id,
    "户编号" AS household_id,
    CASE "产品" WHEN '活期' THEN 'demand' WHEN '定期' THEN 'term' WHEN '卡' THEN 'card' WHEN '理财' THEN 'wealth'
        ELSE "产品" END AS product,
    "开户" AS opened_on,
    "销户" AS closed_on,
    CASE "手机银行" WHEN 'Y' THEN 'true' WHEN 'N' THEN 'false' ELSE "手机银行" END AS has_mobile,
    CASE "收款码" WHEN 'Y' THEN 'true' WHEN 'N' THEN 'false' ELSE "收款码" END AS has_pos
FROM account
