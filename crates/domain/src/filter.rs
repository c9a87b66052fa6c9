//! The filter grammar of the field's tracking protocol: `metrics.loss < 0.5 and params.lr = '0.1' and tags.`a b` LIKE 'x%'`.
//!
//! Clauses joined by `AND`, nothing else. Keys with spaces or dots stand in back quotes or double quotes, texts in single
//! or double quotes.

mod lex;
mod words;

pub use words::{Term, terms};

use lex::{Token, Word, lex};
use serde::{Deserialize, Serialize};

/// Longest filter taken, in bytes.
pub const MAX: usize = 20_000;
/// Most clauses of one filter.
const CLAUSES: usize = 50;

/// What a clause is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Entity {
    Attribute,
    Metric,
    Param,
    Tag,
    /// Of any version of a model.
    VersionTag,
    Dataset,
}

impl Entity {
    const fn label(self) -> &'static str {
        match self {
            Self::Attribute => "attribute",
            Self::Metric => "metric",
            Self::Param => "parameter",
            Self::Tag => "tag",
            Self::VersionTag => "version tag",
            Self::Dataset => "dataset",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "attribute" | "attributes" | "attr" | "run" => Self::Attribute,
            "metric" | "metrics" => Self::Metric,
            "parameter" | "parameters" | "param" | "params" => Self::Param,
            "tag" | "tags" => Self::Tag,
            "version_tag" | "version_tags" => Self::VersionTag,
            "dataset" | "datasets" => Self::Dataset,
            _ => return None,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Like,
    Ilike,
    In,
    NotIn,
    IsNull,
    IsNotNull,
}

impl Op {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Like => "LIKE",
            Self::Ilike => "ILIKE",
            Self::In => "IN",
            Self::NotIn => "NOT IN",
            Self::IsNull => "IS NULL",
            Self::IsNotNull => "IS NOT NULL",
        }
    }

    const fn is_order(self) -> bool {
        matches!(
            self,
            Self::Eq | Self::Ne | Self::Lt | Self::Le | Self::Gt | Self::Ge
        )
    }

    const fn is_text(self) -> bool {
        matches!(self, Self::Eq | Self::Ne | Self::Like | Self::Ilike)
    }

    /// Whether two numbers stand in this order.
    pub fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Eq => a == b,
            Self::Ne => a != b,
            Self::Lt => a < b,
            Self::Le => a <= b,
            Self::Gt => a > b,
            Self::Ge => a >= b,
            _ => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    None,
    Number(f64),
    /// Kept whole: times and versions do not fit a float to the last digit.
    Whole(i64),
    Text(String),
    List(Vec<String>),
}

impl Value {
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(n) => Some(*n),
            Self::Whole(n) => Some(*n as f64),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clause {
    pub entity: Entity,
    pub key: String,
    pub op: Op,
    pub value: Value,
}

impl Clause {
    /// Whether a text (`None`: it is not there) satisfies the clause.
    pub fn matches_text(&self, text: Option<&str>) -> bool {
        match (self.op, text, &self.value) {
            (Op::IsNull, text, _) => text.is_none(),
            (Op::IsNotNull, text, _) => text.is_some(),
            (_, None, _) => false,
            (Op::Eq, Some(t), Value::Text(v)) => t == v,
            (Op::Ne, Some(t), Value::Text(v)) => t != v,
            (Op::Like, Some(t), Value::Text(v)) => like(t, v),
            (Op::Ilike, Some(t), Value::Text(v)) => like(&t.to_lowercase(), &v.to_lowercase()),
            (Op::In, Some(t), Value::List(l)) => l.iter().any(|v| v == t),
            (Op::NotIn, Some(t), Value::List(l)) => l.iter().all(|v| v != t),
            _ => false,
        }
    }

    pub fn matches_number(&self, number: Option<f64>) -> bool {
        match (number, self.value.as_number()) {
            (Some(a), Some(b)) => self.op.holds(a, b),
            _ => false,
        }
    }
}

/// Whether a text matches a pattern of `LIKE`, in which `%` is anything and `_` one character.
pub fn like(text: &str, pattern: &str) -> bool {
    let (t, p): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut i, mut j) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while i < t.len() {
        if j < p.len() && p[j] == '%' {
            back = Some((j, i));
            j += 1;
        } else if j < p.len() && (p[j] == '_' || p[j] == t[i]) {
            i += 1;
            j += 1;
        } else if let Some((star, from)) = back {
            back = Some((star, from + 1));
            i = from + 1;
            j = star + 1;
        } else {
            return false;
        }
    }
    p[j..].iter().all(|c| *c == '%')
}

/// What may be searched: which entities there are and which attributes.
#[derive(Debug, Clone, Copy)]
pub struct Grammar {
    pub entities: &'static [Entity],
    /// Attributes that are numbers.
    pub numbers: &'static [&'static str],
    /// Attributes that are texts.
    pub texts: &'static [&'static str],
    /// Other names of attributes.
    pub synonyms: &'static [(&'static str, &'static str)],
}

/// Runs.
pub const RUNS: Grammar = Grammar {
    entities: &[
        Entity::Attribute,
        Entity::Metric,
        Entity::Param,
        Entity::Tag,
        Entity::Dataset,
    ],
    numbers: &["start_time", "end_time"],
    texts: &["run_id", "run_name", "status", "user_id"],
    synonyms: &[
        ("created", "start_time"),
        ("Created", "start_time"),
        ("run name", "run_name"),
        ("Run name", "run_name"),
        ("Run Name", "run_name"),
    ],
};
/// Experiments.
pub const EXPERIMENTS: Grammar = Grammar {
    entities: &[Entity::Attribute, Entity::Tag],
    numbers: &["creation_time", "last_update_time"],
    texts: &["name", "experiment_id"],
    synonyms: &[],
};
/// Logged models.
pub const LOGGED_MODELS: Grammar = Grammar {
    entities: &[Entity::Attribute, Entity::Metric, Entity::Param, Entity::Tag],
    numbers: &["creation_timestamp", "last_updated_timestamp"],
    texts: &["name", "model_id", "model_type", "status", "source_run_id"],
    synonyms: &[
        ("creation_time", "creation_timestamp"),
        ("last_updated_time", "last_updated_timestamp"),
    ],
};
/// Registered models, also by what is said of their versions.
pub const MODELS: Grammar = Grammar {
    entities: &[Entity::Attribute, Entity::Tag, Entity::VersionTag],
    numbers: &["creation_timestamp", "last_updated_timestamp"],
    texts: &["name", "alias"],
    synonyms: &[("timestamp", "last_updated_timestamp")],
};
/// Versions of registered models.
pub const VERSIONS: Grammar = Grammar {
    entities: &[Entity::Attribute, Entity::Tag],
    numbers: &["version_number", "creation_timestamp", "last_updated_timestamp"],
    texts: &["name", "run_id", "source_path"],
    synonyms: &[],
};

/// What a list is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    pub entity: Entity,
    pub key: String,
    pub ascending: bool,
}

impl Grammar {
    /// Reads a filter; an empty one has no clauses. Errors: a sentence for people, with what was expected where.
    pub fn parse(&self, filter: &str) -> Result<Vec<Clause>, String> {
        if filter.len() > MAX {
            return Err(format!(
                "The filter has {} bytes; {MAX} are the most.",
                filter.len()
            ));
        }
        let mut read = Reader {
            filter,
            tokens: lex(filter)?,
            at: 0,
        };
        let mut clauses = Vec::new();
        while read.at < read.tokens.len() {
            if !clauses.is_empty() {
                read.keyword("AND")?;
            }
            clauses.push(self.clause(&mut read)?);
            if clauses.len() > CLAUSES {
                return Err(format!(
                    "The filter has more than {CLAUSES} clauses; leave some out."
                ));
            }
        }
        Ok(clauses)
    }

    fn clause(&self, read: &mut Reader<'_>) -> Result<Clause, String> {
        let (entity, key) = self.name(read)?;
        let op = read.op()?;
        let of_number =
            entity == Entity::Metric || entity == Entity::Attribute && self.numbers.contains(&key.as_str());
        let fits = match (entity, op) {
            _ if of_number => op.is_order(),
            (Entity::Param | Entity::Tag | Entity::VersionTag, Op::IsNull | Op::IsNotNull) => true,
            (Entity::Param | Entity::Tag | Entity::VersionTag, _) => op.is_text(),
            (_, Op::In | Op::NotIn) => true,
            _ => op.is_text(),
        };
        if !fits {
            let those = match entity {
                _ if of_number => "=, !=, <, <=, > and >=",
                Entity::Param | Entity::Tag | Entity::VersionTag => {
                    "=, !=, LIKE, ILIKE, IS NULL and IS NOT NULL"
                }
                _ => "=, !=, LIKE, ILIKE, IN and NOT IN",
            };
            return Err(format!(
                "`{}` does not work with the {} `{key}`; {those} do.",
                op.as_str(),
                entity.label()
            ));
        }
        let value = match op {
            Op::IsNull | Op::IsNotNull => Value::None,
            Op::In | Op::NotIn => Value::List(read.list()?),
            _ if of_number => read.number()?,
            _ => Value::Text(read.text()?),
        };
        Ok(Clause {
            entity,
            key,
            op,
            value,
        })
    }

    /// `key`, or `entity.key`.
    fn name(&self, read: &mut Reader<'_>) -> Result<(Entity, String), String> {
        let position = read.at;
        let Some(Token::Name(word)) = read.next() else {
            read.at = position;
            return Err(read.expected("a name such as metrics.loss, params.lr or tags.team"));
        };
        let (entity, key) = match word {
            Word { entity: None, key } => (Entity::Attribute, key),
            Word {
                entity: Some(prefix),
                key,
            } => {
                let entity = Entity::parse(&prefix)
                    .filter(|e| self.entities.contains(e))
                    .ok_or_else(|| {
                        let known: Vec<&str> = self.entities.iter().map(|e| e.label()).collect();
                        format!("`{prefix}.` is not known here; filter by {}.", known.join(", "))
                    })?;
                (entity, key)
            }
        };
        let key = match entity {
            Entity::Attribute => self.attribute(&key)?,
            Entity::Dataset if !["name", "digest", "context"].contains(&key.as_str()) => {
                return Err(format!(
                    "A dataset has no `{key}`; filter by its name, digest or context."
                ));
            }
            _ => key,
        };
        Ok((entity, key))
    }

    fn attribute(&self, key: &str) -> Result<String, String> {
        let synonym = self.synonyms.iter().find(|s| s.0 == key);
        let key = synonym.map_or(key, |s| s.1);
        if self.numbers.contains(&key) || self.texts.contains(&key) {
            Ok(key.to_owned())
        } else {
            let known: Vec<&str> = self.texts.iter().chain(self.numbers).copied().collect();
            Err(format!(
                "There is no attribute `{key}`; there are {}. Metrics, parameters and tags need their prefix, as in \
                 metrics.loss.",
                known.join(", ")
            ))
        }
    }

    /// Reads `name`, `name ASC` or `name DESC`.
    pub fn sort(&self, order: &str) -> Result<Sort, String> {
        if order.len() > 1_000 {
            return Err("An order has at most 1000 bytes.".to_owned());
        }
        let mut read = Reader {
            filter: order,
            tokens: lex(order)?,
            at: 0,
        };
        let (entity, key) = self.name(&mut read)?;
        if entity == Entity::Dataset {
            return Err("Nothing can be sorted by datasets.".to_owned());
        }
        let ascending = match read.next() {
            None => true,
            Some(Token::Name(w)) if w.is("ASC") => true,
            Some(Token::Name(w)) if w.is("DESC") => false,
            Some(_) => {
                return Err(format!(
                    "`{order}` cannot be sorted by; write the name and then ASC or DESC."
                ));
            }
        };
        if read.at < read.tokens.len() {
            return Err(format!(
                "`{order}` cannot be sorted by; write the name and then ASC or DESC."
            ));
        }
        Ok(Sort {
            entity,
            key,
            ascending,
        })
    }
}

struct Reader<'a> {
    filter: &'a str,
    /// With where they begin, in bytes.
    tokens: Vec<(usize, Token)>,
    at: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at)?.1.clone();
        self.at += 1;
        Some(token)
    }

    /// What was wanted at the present place, and what is there.
    fn expected(&self, what: &str) -> String {
        match self.tokens.get(self.at) {
            None => format!("The filter ends where {what} should follow."),
            Some((start, _)) => {
                let found: String = self.filter[*start..].chars().take(24).collect();
                format!("The filter needs {what} at `{found}` (character {}).", start + 1)
            }
        }
    }

    fn keyword(&mut self, word: &str) -> Result<(), String> {
        if let Some((_, Token::Name(w))) = self.tokens.get(self.at)
            && w.is(word)
        {
            self.at += 1;
            return Ok(());
        }
        let hint = match self.tokens.get(self.at) {
            Some((_, Token::Name(w))) if w.is("OR") => " OR is not known to this grammar; search twice.",
            _ => "",
        };
        Err(format!("{}{hint}", self.expected(word)))
    }

    fn op(&mut self) -> Result<Op, String> {
        let position = self.at;
        let op = match self.next() {
            Some(Token::Op(op)) => Some(op),
            Some(Token::Name(w)) if w.is("LIKE") => Some(Op::Like),
            Some(Token::Name(w)) if w.is("ILIKE") => Some(Op::Ilike),
            Some(Token::Name(w)) if w.is("IN") => Some(Op::In),
            Some(Token::Name(w)) if w.is("NOT") => {
                self.keyword("IN")?;
                Some(Op::NotIn)
            }
            Some(Token::Name(w)) if w.is("IS") => {
                if self.keyword("NOT").is_ok() {
                    self.keyword("NULL")?;
                    Some(Op::IsNotNull)
                } else {
                    self.keyword("NULL")?;
                    Some(Op::IsNull)
                }
            }
            _ => None,
        };
        op.ok_or_else(|| {
            self.at = position;
            self.expected("a comparison such as =, !=, <, >=, LIKE or IN")
        })
    }

    fn number(&mut self) -> Result<Value, String> {
        match self.tokens.get(self.at) {
            Some((_, Token::Whole(n))) => {
                let value = Value::Whole(*n);
                self.at += 1;
                Ok(value)
            }
            Some((_, Token::Number(n))) => {
                let value = Value::Number(*n);
                self.at += 1;
                Ok(value)
            }
            _ => Err(self.expected("a number without quotes")),
        }
    }

    fn text(&mut self) -> Result<String, String> {
        if let Some((_, Token::Text(t))) = self.tokens.get(self.at) {
            let text = t.clone();
            self.at += 1;
            return Ok(text);
        }
        Err(self.expected("a text in quotes, as in 'value',"))
    }

    fn list(&mut self) -> Result<Vec<String>, String> {
        if !matches!(self.tokens.get(self.at), Some((_, Token::Open))) {
            return Err(self.expected("a list such as ('a', 'b')"));
        }
        self.at += 1;
        let mut all = vec![self.text()?];
        loop {
            match self.tokens.get(self.at) {
                Some((_, Token::Comma)) => {
                    self.at += 1;
                    all.push(self.text()?);
                }
                Some((_, Token::Close)) => {
                    self.at += 1;
                    return Ok(all);
                }
                _ => return Err(self.expected("`,` or `)`")),
            }
        }
    }
}

#[cfg(test)]
mod tests;
