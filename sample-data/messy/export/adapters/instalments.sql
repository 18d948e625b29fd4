-- Instalments, semicolons between fields. 未还 ("not paid") is nothing (bank.toml).
SELECT
    "借据号" AS loan_id,
    "应还日" AS due_on,
    "应还额" AS due_amount,
    "已还额" AS paid_amount,
    "还清日" AS paid_on
FROM plan
