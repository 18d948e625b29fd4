-- Decisions. Several vetoes that are overridden stand in one field, with 、 between them.
SELECT
    "审批号" AS decision_id,
    "户编号" AS household_id,
    "审批时间" AS decided_at,
    "经办" AS reviewer_id,
    "复核" AS approver_id,
    CASE "结论" WHEN '同意' THEN 'accept' WHEN '调整' THEN 'adjust' WHEN '否决' THEN 'decline' WHEN '暂停' THEN 'suspend'
        ELSE "结论" END AS action,
    "等级" AS grade,
    "额度" AS "limit",
    REPLACE("解除", '、', '|') AS overrides,
    "理由" AS reason,
    "失效日" AS expires_on
FROM decision
