-- Grids from the grid office's list, semicolons between fields.
SELECT
    "网格编号" AS grid_id,
    "机构号" AS branch_id,
    "区划代码" AS area_id,
    CASE "类型" WHEN '村' THEN 'village' WHEN '社区' THEN 'community' WHEN '商圈' THEN 'business_district'
        WHEN '园区' THEN 'industrial_park' WHEN '校园' THEN 'campus' ELSE "类型" END AS kind,
    CASE "居住形态" WHEN '自治' THEN 'autonomous' WHEN '单位' THEN 'unit' WHEN '物业' THEN 'property_managed'
        WHEN '散居' THEN 'dispersed' ELSE "居住形态" END AS settlement,
    "名称" AS name,
    "入网日期" AS joined_on,
    "启用" AS valid_from,
    "停用" AS valid_to
FROM grid
