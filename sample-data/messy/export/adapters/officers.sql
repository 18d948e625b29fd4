-- Officers from the staff list. 至今 ("until now") is nothing (bank.toml).
SELECT
    "工号" AS officer_id,
    "机构号" AS branch_id,
    "姓名" AS name,
    CASE "岗位" WHEN '网格员' THEN 'officer' WHEN '管理员' THEN 'manager' ELSE "岗位" END AS role,
    CASE "用工" WHEN '专职' THEN 'full_time' WHEN '兼职' THEN 'part_time' ELSE "用工" END AS employment,
    "上岗" AS active_from,
    "离岗" AS active_to
FROM staff
