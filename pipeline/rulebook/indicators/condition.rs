//! The condition of an indicator's part: a SQL boolean expression over the documented columns of one base table,
//! parsed by a SQL parser and checked against the table's contract when the rulebook is loaded. What cannot be
//! answered for every row by true, false or unknown is refused. Leaves the answering to `indicators`.

use crate::contract::{Column, Contract, Type};
use crate::decimal::Decimal;
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;
use std::collections::VecDeque;

/// A sound condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// As it is written in the file.
    pub text: String,
    pub expression: Expression,
}

/// Columns are positions in the base table's contract. Unknown (null) follows the three-valued logic of SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    Always(bool),
    /// A column of truths.
    Holds(usize),
    IsNull(usize),
    /// True where the inner one is true, false where it is false or unknown.
    IsTrue(Box<Expression>),
    Not(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Compare(usize, Comparison, Literal),
    CompareColumns(usize, Comparison, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// A constant in the units in which its column is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// Whole units of the column's last digit: cents for money.
    Whole(i64),
    /// Compared as the nearest 64-bit float.
    Real(Decimal),
    /// The place of a word in the column's list.
    Word(u8),
    Text(String),
    /// As days since 1970-01-01.
    Day(i32),
}

impl Expression {
    /// Notes every column that is read.
    pub fn columns(&self, found: &mut Vec<usize>) {
        match self {
            Expression::Always(_) => {}
            Expression::Holds(column) | Expression::IsNull(column) | Expression::Compare(column, ..) => {
                found.push(*column);
            }
            Expression::CompareColumns(one, _, other) => found.extend([*one, *other]),
            Expression::IsTrue(inner) | Expression::Not(inner) => inner.columns(found),
            Expression::And(one, other) | Expression::Or(one, other) => {
                one.columns(found);
                other.columns(found);
            }
        }
    }
}

impl Comparison {
    fn of(operator: &BinaryOperator) -> Option<Comparison> {
        Some(match operator {
            BinaryOperator::Eq => Comparison::Equal,
            BinaryOperator::NotEq => Comparison::NotEqual,
            BinaryOperator::Lt => Comparison::Less,
            BinaryOperator::LtEq => Comparison::AtMost,
            BinaryOperator::Gt => Comparison::More,
            BinaryOperator::GtEq => Comparison::AtLeast,
            _ => return None,
        })
    }

    /// The same with its two sides exchanged.
    fn mirrored(self) -> Comparison {
        match self {
            Comparison::Equal | Comparison::NotEqual => self,
            Comparison::Less => Comparison::More,
            Comparison::AtMost => Comparison::AtLeast,
            Comparison::More => Comparison::Less,
            Comparison::AtLeast => Comparison::AtMost,
        }
    }

    fn is_order(self) -> bool {
        !matches!(self, Comparison::Equal | Comparison::NotEqual)
    }
}

/// What is wrong with a condition: the sentence, and what to do.
pub(super) struct Refusal {
    pub(super) sentence: String,
    pub(super) hint: String,
}

fn refuse<T>(sentence: impl Into<String>, hint: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { sentence: sentence.into(), hint: hint.into() })
}

/// Most bytes of a condition. What is chained by AND or OR nests once for each of its parts, wherever it is read, shown,
/// answered or let go, and a thread has room for some thousands only.
const TEXT_MAX: usize = 10_000;

/// Reads a condition on the columns of a base table.
pub(super) fn read(text: &str, table: &Contract) -> Result<Condition, Refusal> {
    if text.len() > TEXT_MAX {
        let hint = format!("write at most {TEXT_MAX}; what takes so many words is a column, or several indicators");
        return refuse(format!("the condition has {} bytes", text.len()), hint);
    }
    let parsed = Parser::new(&GenericDialect {}).try_with_sql(text).and_then(|mut parser| {
        let expression = parser.parse_expr()?;
        parser.expect_token(&Token::EOF)?;
        Ok(expression)
    });
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return refuse(format!("the condition `{text}` does not parse: {error}"), BOOLEAN_HINT),
    };
    Ok(Condition { text: text.to_owned(), expression: Reader { table }.truth(&parsed)? })
}

const BOOLEAN_HINT: &str = "write a SQL condition such as `kind = 'station' AND is_open`";

struct Reader<'a> {
    table: &'a Contract,
}

/// One side of a comparison.
enum Side {
    Column(usize),
    Constant(Constant),
}

enum Constant {
    Number(Decimal),
    Text(String),
    Truth(bool),
}

impl Reader<'_> {
    fn truth(&self, expression: &Expr) -> Result<Expression, Refusal> {
        let inner = |expression: &Expr| self.truth(expression).map(Box::new);
        Ok(match expression {
            Expr::Nested(nested) => self.truth(nested)?,
            Expr::Identifier(_) => self.truth_column(expression)?,
            Expr::Value(value) if matches!(value.value, Value::Boolean(_)) => {
                Expression::Always(matches!(value.value, Value::Boolean(true)))
            }
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => Expression::Not(inner(expr)?),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => Expression::And(inner(left)?, inner(right)?),
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => Expression::Or(inner(left)?, inner(right)?),
            Expr::BinaryOp { left, op, right } => match Comparison::of(op) {
                Some(comparison) => self.compare(left, comparison, right)?,
                None => return self.not_boolean(expression),
            },
            Expr::Between { expr, negated, low, high } => {
                let low = self.compare(expr, Comparison::AtLeast, low)?;
                let high = self.compare(expr, Comparison::AtMost, high)?;
                negate(Expression::And(Box::new(low), Box::new(high)), *negated)
            }
            Expr::InList { expr, list, negated } => negate(self.in_list(expr, list)?, *negated),
            Expr::IsNull(column) => Expression::IsNull(self.column(column)?),
            Expr::IsNotNull(column) => Expression::Not(Box::new(Expression::IsNull(self.column(column)?))),
            Expr::IsTrue(expr) => Expression::IsTrue(inner(expr)?),
            Expr::IsNotTrue(expr) => Expression::Not(Box::new(Expression::IsTrue(inner(expr)?))),
            Expr::IsFalse(expr) => Expression::IsTrue(Box::new(Expression::Not(inner(expr)?))),
            Expr::IsNotFalse(expr) => {
                Expression::Not(Box::new(Expression::IsTrue(Box::new(Expression::Not(inner(expr)?)))))
            }
            other => return self.not_boolean(other),
        })
    }

    fn not_boolean<T>(&self, expression: &Expr) -> Result<T, Refusal> {
        let hint = "a condition is made of AND, OR, NOT, comparisons of a column with a constant or a column, IN (..), \
                    BETWEEN, IS [NOT] NULL, IS [NOT] TRUE or FALSE, and columns that are true or false";
        refuse(format!("`{expression}` is not true or false for a row of `{}`", self.table.table), hint)
    }

    fn truth_column(&self, expression: &Expr) -> Result<Expression, Refusal> {
        let position = self.column(expression)?;
        match self.contract_of(position)?.kind {
            Type::Bool => Ok(Expression::Holds(position)),
            kind => refuse(
                format!("`{expression}` of `{}` is {}, not true or false", self.table.table, kind.describe()),
                format!("compare it, for example `{expression} = ...`"),
            ),
        }
    }

    fn column(&self, expression: &Expr) -> Result<usize, Refusal> {
        let Expr::Identifier(name) = expression else {
            return refuse(format!("`{expression}` is no column"), "write a column by its plain name");
        };
        if let Some(position) = self.table.position(&name.value) {
            return Ok(position);
        }
        let known: Vec<&str> = self.table.columns.iter().map(|column| column.name.as_str()).collect();
        let table = &self.table.table;
        refuse(format!("`{table}` has no column `{}`", name.value), format!("its columns are {}", known.join(", ")))
    }

    fn contract_of(&self, position: usize) -> Result<&Column, Refusal> {
        match self.table.columns.get(position) {
            Some(column) => Ok(column),
            None => refuse(format!("`{}` has no such column", self.table.table), BOOLEAN_HINT),
        }
    }

    fn in_list(&self, expression: &Expr, list: &[Expr]) -> Result<Expression, Refusal> {
        let equal = |item| self.compare(expression, Comparison::Equal, item);
        let mut any = list.iter().map(equal).collect::<Result<VecDeque<_>, _>>()?;
        // The two foremost become one at the end, so that a long list nests only as deep as its length has digits.
        loop {
            match (any.pop_front(), any.pop_front()) {
                (Some(one), Some(other)) => any.push_back(Expression::Or(Box::new(one), Box::new(other))),
                (Some(last), None) => return Ok(last),
                (None, _) => return Ok(Expression::Always(false)),
            }
        }
    }

    fn side(&self, expression: &Expr) -> Result<Side, Refusal> {
        match expression {
            Expr::Nested(nested) => self.side(nested),
            Expr::Identifier(_) => self.column(expression).map(Side::Column),
            Expr::Value(value) => self.constant(&value.value).map(Side::Constant),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match self.side(expr)? {
                Side::Constant(Constant::Number(number)) => match Decimal::parse(&format!("-{number}")) {
                    Some(number) => Ok(Side::Constant(Constant::Number(number))),
                    None => self.not_boolean(expression),
                },
                _ => self.not_boolean(expression),
            },
            other => refuse(
                format!("`{other}` is neither a column nor a constant"),
                "compare columns with constants or columns; what must be computed first is a column of its own",
            ),
        }
    }

    fn constant(&self, value: &Value) -> Result<Constant, Refusal> {
        match value {
            Value::Number(text, _) => match Decimal::parse(text) {
                Some(number) => Ok(Constant::Number(number)),
                None => refuse(format!("`{text}` cannot be kept exactly"), "write at most nine digits after the point"),
            },
            Value::SingleQuotedString(text) => Ok(Constant::Text(text.clone())),
            Value::Boolean(truth) => Ok(Constant::Truth(*truth)),
            other => refuse(
                format!("`{other}` is no constant that a column can be compared with"),
                "write a number, a word or a day in single quotes; for null write IS NULL",
            ),
        }
    }

    fn compare(&self, left: &Expr, comparison: Comparison, right: &Expr) -> Result<Expression, Refusal> {
        match (self.side(left)?, self.side(right)?) {
            (Side::Column(column), Side::Constant(constant)) => self.compare_constant(column, comparison, constant),
            (Side::Constant(constant), Side::Column(column)) => {
                self.compare_constant(column, comparison.mirrored(), constant)
            }
            (Side::Column(one), Side::Column(other)) => self.compare_columns(one, comparison, other),
            (Side::Constant(_), Side::Constant(_)) => refuse(
                format!("`{left}` and `{right}` are both constants"),
                "a condition says something about a column; leave `where` out to count every row",
            ),
        }
    }

    fn compare_columns(&self, one: usize, comparison: Comparison, other: usize) -> Result<Expression, Refusal> {
        let (left, right) = (self.contract_of(one)?, self.contract_of(other)?);
        let is_number = |column: &Column| column.kind.scale().is_some();
        let is_same = left.kind == right.kind && !matches!(left.kind, Type::Bool | Type::Word | Type::List);
        let is_same_scale = is_number(left) && left.kind.scale() == right.kind.scale();
        if (is_same || is_same_scale) && !is_wide(left) && !is_wide(right) {
            return Ok(Expression::CompareColumns(one, comparison, other));
        }
        refuse(
            format!("`{}` and `{}` are not of the same type", left.name, right.name),
            format!("`{}` is {}, `{}` is {}", left.name, left.kind.describe(), right.name, right.kind.describe()),
        )
    }

    fn compare_constant(
        &self,
        position: usize,
        comparison: Comparison,
        constant: Constant,
    ) -> Result<Expression, Refusal> {
        let column = self.contract_of(position)?;
        let name = &column.name;
        let literal = match (column.kind, constant) {
            (Type::Bool, Constant::Truth(truth)) if !comparison.is_order() => {
                let holds = Expression::Holds(position);
                return Ok(negate(holds, truth == (comparison == Comparison::NotEqual)));
            }
            (Type::Word, Constant::Text(word)) => match column.word_code(&word) {
                Some(_) if comparison.is_order() => {
                    return refuse(format!("the words of `{name}` have no order"), "compare a word with =, <> or IN");
                }
                Some(code) => Literal::Word(code),
                None => {
                    let hint = format!("its words are {}", column.words.join(", "));
                    return refuse(format!("`{word}` is no word of `{name}`"), hint);
                }
            },
            (Type::Id | Type::Text, Constant::Text(text)) => Literal::Text(text),
            (Type::Date, Constant::Text(text)) => match crate::calendar::Date::parse(&text) {
                Some(day) => Literal::Day(day.0),
                None => return refuse(format!("`{text}` is no day"), "write a day as '2026-06-30'"),
            },
            (Type::Share | Type::Real, Constant::Number(number)) => Literal::Real(number),
            (kind, Constant::Number(number)) if !is_wide(column) => {
                match kind.scale().map(|scale| number.in_units(scale)) {
                    Some(Some(units)) => Literal::Whole(units),
                    Some(None) => {
                        let hint = format!("`{name}` is {}", kind.describe());
                        return refuse(format!("`{name}` can never be {number}"), hint);
                    }
                    None => return self.wrong_constant(column),
                }
            }
            _ => return self.wrong_constant(column),
        };
        Ok(Expression::Compare(position, comparison, literal))
    }

    fn wrong_constant<T>(&self, column: &Column) -> Result<T, Refusal> {
        let (name, described) = (&column.name, column.kind.describe());
        refuse(
            format!("`{name}` is compared with a constant of another type"),
            format!("`{name}` of `{}` is {described}; words, texts and days stand in single quotes", self.table.table),
        )
    }
}

/// More digits than a 64-bit whole number holds: such a column can be summed, not compared.
fn is_wide(column: &Column) -> bool {
    column.kind.precision().is_some_and(|digits| digits > 18)
}

fn negate(expression: Expression, negated: bool) -> Expression {
    if negated { Expression::Not(Box::new(expression)) } else { expression }
}
