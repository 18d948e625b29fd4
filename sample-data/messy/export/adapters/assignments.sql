-- Who looks after which grid: post A is the primary officer, post B the backup.
SELECT
    "网格编号" AS grid_id,
    "工号" AS officer_id,
    CASE "岗" WHEN 'A' THEN 'primary' WHEN 'B' THEN 'backup' ELSE "岗" END AS duty,
    "自" AS valid_from,
    "至" AS valid_to
FROM duty
