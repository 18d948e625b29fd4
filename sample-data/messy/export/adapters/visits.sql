-- Visits, one file for each month. The day and the hour of the beginning stand in two columns.
SELECT
    "流水号" AS visit_id,
    "工号" AS officer_id,
    "网格" AS grid_id,
    "户编号" AS household_id,
    CONCAT("走访日期", ' ', "开始") AS started_at,
    "结束时间" AS ended_at,
    "录入时间" AS recorded_at,
    CASE "方式" WHEN '上门' THEN 'onsite' WHEN '电话' THEN 'phone' WHEN '线上' THEN 'online' ELSE "方式" END AS channel,
    CASE "事由" WHEN '巡查' THEN 'patrol' WHEN '服务' THEN 'service' WHEN '建档' THEN 'profiling' WHEN '宣传' THEN 'publicity'
        WHEN '贷前' THEN 'pre_loan' WHEN '贷后' THEN 'post_loan' WHEN '催收' THEN 'collection' WHEN '问题' THEN 'issue'
        ELSE "事由" END AS purpose,
    "经度" AS longitude,
    "纬度" AS latitude,
    "照片" AS photo_hash,
    "设备" AS device_id,
    CASE "问题" WHEN '无' THEN 'none' WHEN '一般' THEN 'routine' WHEN '协调' THEN 'coordination' WHEN '紧急' THEN 'urgent'
        ELSE "问题" END AS issue_level,
    CASE "办理" WHEN '无' THEN 'none' WHEN '未结' THEN 'open' WHEN '网格办结' THEN 'resolved_in_grid'
        WHEN '社区办结' THEN 'resolved_in_community' WHEN '乡镇办结' THEN 'resolved_in_township' ELSE "办理" END AS issue_status,
    "办结时间" AS issue_resolved_at
FROM visit
