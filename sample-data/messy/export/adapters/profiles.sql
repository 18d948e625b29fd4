-- Households' files. 不详 ("not known") is nothing (bank.toml); 无 is an answer: no dwelling, no insurance.
SELECT
    "档案号" AS profile_id,
    "户编号" AS household_id,
    "工号" AS officer_id,
    "建档日期" AS profiled_on,
    "录入时间" AS recorded_at,
    "劳动力" AS labour_count,
    "年收入" AS annual_income,
    "年支出" AS annual_operating_cost,
    "总资产" AS total_assets,
    "总负债" AS total_liabilities,
    "土地亩" AS land_mu,
    CASE "住房" WHEN '自有' THEN 'owned' WHEN '租住' THEN 'rented' WHEN '无' THEN 'none' ELSE "住房" END AS dwelling,
    "主业" AS main_activity,
    CASE "参保" WHEN '有' THEN 'true' WHEN '无' THEN 'false' ELSE "参保" END AS has_insurance
FROM file
