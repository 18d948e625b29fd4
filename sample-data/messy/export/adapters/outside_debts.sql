-- What the credit bureau reports. This file alone is UTF-8, with a byte-order mark and the line ends of another system.
SELECT
    "户编号" AS household_id,
    "报告日" AS reported_on,
    "机构数" AS lender_count,
    "余额" AS outstanding,
    "月还款" AS monthly_payment,
    "担保余额" AS guarantee_outstanding,
    "逾期次数" AS overdue_count_24m
FROM report
