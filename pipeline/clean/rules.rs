//! Why a row is set aside: the rules of `quarantine`, in the order in which they apply.

/// The first rule that applies is the one that a row gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    Null,
    Type,
    Word,
    Range,
    DateOrder,
    DuplicateKey,
    Reference,
    OverlappingValidity,
}

impl Rule {
    pub const ALL: [Rule; 8] = [
        Rule::Null,
        Rule::Type,
        Rule::Word,
        Rule::Range,
        Rule::DateOrder,
        Rule::DuplicateKey,
        Rule::Reference,
        Rule::OverlappingValidity,
    ];

    /// The rule's name in the `quarantine` table.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Null => "null",
            Rule::Type => "type",
            Rule::Word => "word",
            Rule::Range => "range",
            Rule::DateOrder => "date_order",
            Rule::DuplicateKey => "duplicate_key",
            Rule::Reference => "reference",
            Rule::OverlappingValidity => "overlapping_validity",
        }
    }

    /// What the rule asks for, in one sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Rule::Null => "a required column has a value in every row",
            Rule::Type => "a value can be read as its column's type",
            Rule::Word => "a word stands in its column's list",
            Rule::Range => "a value lies within its column's bounds",
            Rule::DateOrder => "what ends does not end before it begins",
            Rule::DuplicateKey => "no two rows have the same primary key",
            Rule::Reference => "what a row refers to is there and sound",
            Rule::OverlappingValidity => "a household has at most one valid row on a day",
        }
    }
}
