-- Loans are kept by customer number; a second file says which household a customer is. A customer who is in none is a
-- borrower outside the grids.
SELECT
    contract."借据号" AS loan_id,
    customer."户编号" AS household_id,
    contract."机构号" AS branch_id,
    CASE contract."类别" WHEN '01' THEN 'farm_household' WHEN '02' THEN 'resident' WHEN '03' THEN 'merchant'
        WHEN '04' THEN 'small_enterprise' WHEN '05' THEN 'large_grower' WHEN '06' THEN 'cooperative'
        WHEN '07' THEN 'leading_enterprise' WHEN '08' THEN 'family_farm' WHEN '09' THEN 'other_enterprise'
        ELSE contract."类别" END AS borrower_kind,
    CASE contract."用途" WHEN '农业' THEN 'farming' WHEN '经营' THEN 'operating' WHEN '消费' THEN 'consumption'
        WHEN '住房' THEN 'housing' WHEN '其他' THEN 'other' ELSE contract."用途" END AS purpose,
    CASE contract."涉农" WHEN '是' THEN 'true' WHEN '否' THEN 'false' ELSE contract."涉农" END AS is_agricultural,
    CASE contract."担保" WHEN '信用' THEN 'credit' WHEN '保证' THEN 'guaranteed' WHEN '抵押' THEN 'mortgaged'
        WHEN '质押' THEN 'pledged' WHEN '保险' THEN 'insured' ELSE contract."担保" END AS guarantee,
    contract."授信额" AS credit_line,
    contract."本金" AS principal,
    contract."年利率" AS annual_rate,
    contract."放款日" AS disbursed_on,
    contract."到期日" AS matures_on,
    contract."结清日" AS closed_on
FROM contract
LEFT JOIN customer ON contract."客户号" = customer."客户号"
