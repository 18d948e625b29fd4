-- Conduct points and where each stands on its way from declaration to the account.
SELECT
    "事件号" AS event_id,
    "户编号" AS household_id,
    "发生" AS happened_on,
    "类别" AS category,
    "积分" AS points,
    CASE "状态" WHEN '申报' THEN 'declared' WHEN '评议' THEN 'reviewed' WHEN '公示' THEN 'publicised' WHEN '入账' THEN 'posted'
        WHEN '驳回' THEN 'rejected' ELSE "状态" END AS status,
    "状态日" AS status_on,
    CASE "否决" WHEN '是' THEN 'true' WHEN '否' THEN 'false' ELSE "否决" END AS is_veto
FROM event
