-- How loans stood at the ends of months, with the five classes by their Chinese names.
SELECT
    "借据号" AS loan_id,
    "日期" AS month_end,
    "余额" AS outstanding,
    "逾期天数" AS days_past_due,
    CASE "分类" WHEN '正常' THEN 'normal' WHEN '关注' THEN 'special_mention' WHEN '次级' THEN 'substandard'
        WHEN '可疑' THEN 'doubtful' WHEN '损失' THEN 'loss' ELSE "分类" END AS risk_class
FROM class
