-- Areas from the civil register: levels by their Chinese words, 城乡 as rural or not. 无 is nothing (bank.toml).
SELECT
    "区划代码" AS area_id,
    "上级代码" AS parent_area_id,
    CASE "级别" WHEN '县' THEN 'county' WHEN '乡镇' THEN 'township' WHEN '村' THEN 'village' WHEN '社区' THEN 'community'
        ELSE "级别" END AS level,
    "名称" AS name,
    CASE "城乡" WHEN '乡村' THEN 'true' WHEN '城镇' THEN 'false' ELSE "城乡" END AS is_rural,
    "常住人口" AS population,
    "十五岁以上" AS adult_population,
    "户数" AS household_count,
    "面积" AS land_km2
FROM area
