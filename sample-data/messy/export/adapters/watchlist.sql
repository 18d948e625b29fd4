-- Lists that a household stands on, by their Chinese names.
SELECT
    "户编号" AS household_id,
    CASE "名单" WHEN '失信被执行人' THEN 'dishonest_judgment' WHEN '欺诈' THEN 'fraud' WHEN '死亡' THEN 'deceased'
        WHEN '其他' THEN 'other' ELSE "名单" END AS list_name,
    "列入" AS listed_on,
    "移出" AS delisted_on
FROM listing
