-- Households from the register, one file for each township. Kinds and care categories are numbers there.
SELECT
    "户编号" AS household_id,
    "网格" AS grid_id,
    CASE "类别" WHEN '01' THEN 'farm_household' WHEN '02' THEN 'resident' WHEN '03' THEN 'merchant'
        WHEN '04' THEN 'small_enterprise' WHEN '05' THEN 'large_grower' WHEN '06' THEN 'cooperative'
        WHEN '07' THEN 'leading_enterprise' WHEN '08' THEN 'family_farm' ELSE "类别" END AS kind,
    "户主" AS head_name,
    "证件号" AS id_number,
    CASE "同意公示" WHEN '是' THEN 'true' WHEN '否' THEN 'false' ELSE "同意公示" END AS notice_consent,
    "人口" AS member_count,
    CASE "关爱" WHEN '0' THEN 'none' WHEN '1' THEN 'hardship' WHEN '2' THEN 'living_alone' WHEN '3' THEN 'disabled'
        WHEN '4' THEN 'left_behind' WHEN '5' THEN 'unemployed' ELSE "关爱" END AS care_category,
    "经度" AS longitude,
    "纬度" AS latitude,
    "起" AS valid_from,
    "止" AS valid_to
FROM household
