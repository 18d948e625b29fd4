-- Back-to-back reviews. A dash is nothing (bank.toml): a reviewer who does not know the household gives no score.
SELECT
    "户编号" AS household_id,
    "评议人" AS reviewer_id,
    "日期" AS reviewed_on,
    CASE "了解" WHEN '是' THEN 'true' WHEN '否' THEN 'false' ELSE "了解" END AS knows_household,
    "评分" AS score,
    CASE "否决" WHEN '是' THEN 'true' WHEN '否' THEN 'false' ELSE "否决" END AS is_veto
FROM review
