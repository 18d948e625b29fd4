-- Branches from the list of the bank's offices, fields between bars.
SELECT
    "机构号" AS branch_id,
    "上级机构" AS parent_branch_id,
    CASE "层级" WHEN '总行' THEN 'head_office' WHEN '支行' THEN 'branch' WHEN '网点' THEN 'sub_branch' ELSE "层级" END AS level,
    "机构名称" AS name,
    "所在区划" AS area_id,
    "开业日" AS opened_on,
    "撤并日" AS closed_on,
    "经度" AS longitude,
    "纬度" AS latitude
FROM office
