//! `$select`, `$filter` and `$expand` over metadata.

use serde_json::{Map, Value};

use super::super::evaluate::decimal_order;
use super::super::filter::{self, Expression, Literal, Operand, Operator};
use super::super::query::split;
use super::super::reply::Reply;
use super::super::{Call, errors};

/// What is wanted of metadata.
#[derive(Default)]
pub struct Selection {
    pub select: Option<Vec<String>>,
    filter: Option<Expression<String>>,
    /// Navigation properties, each with its own selection.
    pub expand: Vec<(String, Selection)>,
    text: String,
}

impl Selection {
    /// The selection of a request.
    ///
    /// # Errors
    /// The refusal of a filter that cannot be read.
    pub fn of(call: &Call<'_>) -> Result<Self, Reply> {
        Self::read(
            call.parameter("$select").as_deref(),
            call.parameter("$filter").as_deref(),
            call.parameter("$expand").as_deref(),
        )
    }

    fn read(
        select: Option<&str>,
        filter: Option<&str>,
        expand: Option<&str>,
    ) -> Result<Self, Reply> {
        let filter = filter
            .map(filter::parse)
            .transpose()
            .map_err(|message| errors::bad_request(&message))?;
        let mut expands = Vec::new();
        let mut names: Vec<String> = select.iter().map(|text| (*text).to_owned()).collect();
        for part in split(expand.unwrap_or_default(), ',') {
            let part = part.trim();
            let (name, nested) = part.split_once('(').unwrap_or((part, ""));
            let nested = nested.strip_suffix(')').unwrap_or(nested);
            let option = |wanted: &str| {
                split(nested, ';')
                    .into_iter()
                    .filter_map(|option| option.split_once('='))
                    .find(|(name, _)| name.trim() == wanted)
                    .map(|(_, value)| value)
            };
            let inner = Self::read(option("$select"), option("$filter"), option("$expand"))?;
            names.push(format!("{name}{}", inner.context()));
            expands.push((name.to_owned(), inner));
        }
        Ok(Self {
            select: select.map(|text| {
                text.split(',')
                    .map(|name| name.trim().to_owned())
                    .filter(|name| !name.is_empty())
                    .collect()
            }),
            filter,
            expand: expands,
            text: names.join(","),
        })
    }

    /// A selection of these properties, and nothing else.
    pub fn columns(names: Vec<String>) -> Self {
        Self {
            select: Some(names),
            ..Self::default()
        }
    }

    /// The part of a context that says what was selected.
    pub fn context(&self) -> String {
        if self.text.is_empty() {
            String::new()
        } else {
            format!("({})", self.text)
        }
    }

    pub fn filter_size(&self) -> usize {
        self.filter.as_ref().map_or(0, Expression::size)
    }

    pub fn holds(&self, value: &Value) -> bool {
        self.filter
            .as_ref()
            .is_none_or(|filter| holds(value, filter))
    }

    /// The selected properties; the id comes along, and the type where there is one.
    ///
    /// # Errors
    /// The refusal of a property that the type does not have.
    pub fn project(&self, whole: &Value, of: &str) -> Result<Value, Reply> {
        let Some(names) = &self.select else {
            return Ok(whole.clone());
        };
        let mut projected = Map::new();
        for name in ["@odata.type", "MetadataId"] {
            if let Some(value) = whole.get(name) {
                projected.insert(name.to_owned(), value.clone());
            }
        }
        for name in names {
            let value = whole
                .get(name)
                .ok_or_else(|| errors::unknown_column(name, of))?;
            projected.insert(name.clone(), value.clone());
        }
        Ok(Value::Object(projected))
    }
}

fn holds(value: &Value, filter: &Expression<String>) -> bool {
    match filter {
        Expression::And(left, right) => holds(value, left) && holds(value, right),
        Expression::Or(left, right) => holds(value, left) || holds(value, right),
        Expression::Not(inner) => !holds(value, inner),
        Expression::Compare(operator, left, right) => {
            let (left, right) = (text(value, left), text(value, right));
            match operator {
                Operator::Equal => left == right,
                Operator::NotEqual => left != right,
                _ => {
                    let order = decimal_order(
                        left.as_deref().unwrap_or_default(),
                        right.as_deref().unwrap_or_default(),
                    );
                    order.is_some_and(|order| match operator {
                        Operator::Greater => order.is_gt(),
                        Operator::GreaterOrEqual => order.is_ge(),
                        Operator::Less => order.is_lt(),
                        _ => order.is_le(),
                    })
                }
            }
        }
        Expression::Text(name, left, right) => {
            let (Some(left), Some(right)) = (text(value, left), text(value, right)) else {
                return false;
            };
            let (left, right) = (left.to_lowercase(), right.to_lowercase());
            match name.as_str() {
                "contains" => left.contains(&right),
                "startswith" => left.starts_with(&right),
                _ => left.ends_with(&right),
            }
        }
        Expression::Query(name, path, values) => {
            let found = text(value, &Operand::Path(path.clone()));
            name == "In" && found.is_some_and(|found| values.contains(&found))
        }
    }
}

fn text(value: &Value, operand: &Operand<String>) -> Option<String> {
    match operand {
        Operand::Path(path) => {
            let mut found = value;
            for part in path.split('/') {
                found = found.get(part)?;
            }
            match found {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            }
        }
        Operand::Literal(Literal::Text(text) | Literal::Word(text)) => Some(text.clone()),
        Operand::Literal(Literal::Boolean(value)) => Some(value.to_string()),
        Operand::Literal(Literal::Null) => None,
        Operand::Function(_, inner) => text(value, inner).map(|text| text.to_lowercase()),
    }
}
